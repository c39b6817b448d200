using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Data.Common;
using FeedbackLoop.Registry;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.Selection;

/// <summary>
/// Answers which model to use from the process's memory. One query reads all ready models of an organization, at most every
/// twenty seconds, so an answer is never older than thirty; the database may be away for longer, and then the last known
/// answer stands.
/// </summary>
public sealed partial class ModelSelector(
    NpgsqlDataSource database, IOptions<BaseModelCatalogue> catalogue, TimeProvider time, ILogger<ModelSelector> logger)
{
    /// <summary>Organizations that are remembered; the one read longest ago makes room.</summary>
    public const int Capacity = 10_000;

    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<Guid, Snapshot> _snapshots = new();
    private readonly ConcurrentDictionary<Guid, Lazy<Task<Snapshot>>> _loading = new();

    /// <summary>Never throws for trouble with the database: an extraction goes on without it.</summary>
    public ValueTask<ModelChoice> SelectAsync(
        Guid organizationId, Guid projectId, CancellationToken cancellationToken) =>
        _snapshots.TryGetValue(organizationId, out var snapshot) && time.GetTimestamp() < snapshot.FreshUntil
            ? new ValueTask<ModelChoice>(snapshot.Choose(projectId))
            : new ValueTask<ModelChoice>(RefreshAsync(organizationId, projectId, cancellationToken));

    private async Task<ModelChoice> RefreshAsync(
        Guid organizationId, Guid projectId, CancellationToken cancellationToken)
    {
        var loading = _loading.GetOrAdd(
            organizationId,
            id => new Lazy<Task<Snapshot>>(() => LoadAsync(id), LazyThreadSafetyMode.ExecutionAndPublication));

        // Whoever gives up waiting leaves the query to the others.
        return (await loading.Value.WaitAsync(cancellationToken)).Choose(projectId);
    }

    private async Task<Snapshot> LoadAsync(Guid organizationId)
    {
        Snapshot snapshot;
        using var patience = new CancellationTokenSource(Patience, time);
        try
        {
            await using var db = await database.OpenConnectionAsync(patience.Token);
            var models = await db.ListReadyModelsAsync(organizationId, patience.Token);
            snapshot = Read(models);
        }
        catch (Exception e) when (e is DbException or OperationCanceledException or TimeoutException)
        {
            LogUnreadable(e, organizationId);
            snapshot = (_snapshots.GetValueOrDefault(organizationId) ?? Unknown()) with { FreshUntil = In(PauseAfterFailure) };
        }
        finally
        {
            // Also after a failure that nobody foresaw: the next question must ask the database again.
            _loading.TryRemove(organizationId, out _);
        }

        _snapshots[organizationId] = snapshot;
        Trim();
        return snapshot;
    }

    private Snapshot Read(IReadOnlyList<ReadyModel> models)
    {
        var baseModel = catalogue.Value.GetDefault();
        var general = models.FirstOrDefault(model => model.ProjectId is null);
        var projects = models.Where(model => model.ProjectId is not null)
            .ToFrozenDictionary(
                model => model.ProjectId!.Value, // not null by the line above
                model => ModelSelection.Choose(model, general, baseModel));
        return new Snapshot(projects, ModelSelection.Choose(null, general, baseModel), In(Freshness));
    }

    private Snapshot Unknown() => new(
        FrozenDictionary<Guid, ModelChoice>.Empty,
        ModelSelection.Base(catalogue.Value.GetDefault(), "the registry cannot be read, and nothing is remembered"),
        FreshUntil: 0);

    private long In(TimeSpan span) => time.GetTimestamp() + (long)(span.TotalSeconds * time.TimestampFrequency);

    // A tenth at a time, so that a full memory does not sort itself at every step.
    private void Trim()
    {
        if (_snapshots.Count <= Capacity)
        {
            return;
        }

        foreach (var (id, _) in _snapshots.OrderBy(each => each.Value.FreshUntil).Take(Capacity / 10).ToList())
        {
            _snapshots.TryRemove(id, out _);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Ready models of organization {OrganizationId} cannot be read; the last known answer stands")]
    private partial void LogUnreadable(Exception exception, Guid organizationId);

    /// <param name="Projects">Projects with a ready model of their own.</param>
    /// <param name="Otherwise">The choice of every other project.</param>
    private sealed record Snapshot(
        FrozenDictionary<Guid, ModelChoice> Projects, ModelChoice Otherwise, long FreshUntil)
    {
        public ModelChoice Choose(Guid projectId) => Projects.GetValueOrDefault(projectId) ?? Otherwise;
    }
}
