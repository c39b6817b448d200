using System.Text.Json;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Runs;
using FeedbackLoop.Spending;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.PollTuning;

/// <summary>Extraction jobs that waited for the end of a stop get their message again.</summary>
internal sealed class ExtractionSweep(
    NpgsqlDataSource database, IMessagePublisher publisher, SpendingTerms terms, TimeProvider time,
    IOptions<SweepOptions> options)
{
    // What is left then waits for the next sweep: the others of its parts have their time too.
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(30);

    /// <returns>How many were sent.</returns>
    public async Task<int> WakeAsync(CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        if (!terms.Options.BaseModelWhileStopped && await db.FindSpendingStopAsync(cancellationToken) is not null)
        {
            return 0;
        }

        var (sent, start) = (0, time.GetTimestamp());
        while (time.GetElapsedTime(start) < MostTime
            && await db.ListWaitingExtractionsAsync(options.Value.BatchSize, cancellationToken) is { Count: > 0 } waiting)
        {
            sent += await SendAsync(db, waiting, cancellationToken);
        }

        return sent;
    }

    private async Task<int> SendAsync(
        NpgsqlConnection db, IReadOnlyList<WaitingExtraction> waiting, CancellationToken cancellationToken)
    {
        var (settled, sent) = (new List<Guid>(), 0);
        try
        {
            foreach (var job in waiting)
            {
                if (job.IsThere)
                {
                    await publisher.PublishAsync(
                        Topics.ExtractionRequested,
                        JsonSerializer.Serialize(
                            new ExtractionRequested(job.JobId), MessageJson.Default.ExtractionRequested),
                        cancellationToken);
                    sent++;
                }

                settled.Add(job.JobId);
            }
        }
        finally
        {
            // Afterwards: a message may go out twice and is never lost.
            await db.RemoveWaitingExtractionsAsync([.. settled], CancellationToken.None);
        }

        return sent;
    }
}
