using Npgsql;

namespace FeedbackLoop.Datasets;

/// <summary>
/// Writes where the examples of a dataset came from, a few thousand at a time, in the transaction of its connection. What was
/// added last is written by <see cref="FlushAsync"/>.
/// </summary>
public sealed class OriginWriter(NpgsqlConnection db, Guid datasetId, Guid organizationId)
{
    private const int BatchSize = 4_000;

    private readonly List<ExampleOrigin> _waiting = new(BatchSize);

    public async Task AddAsync(ExampleOrigin origin, CancellationToken cancellationToken)
    {
        _waiting.Add(origin);
        if (_waiting.Count == BatchSize)
        {
            await FlushAsync(cancellationToken);
        }
    }

    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        await db.InsertOriginsAsync(datasetId, organizationId, _waiting, cancellationToken);
        _waiting.Clear();
    }
}
