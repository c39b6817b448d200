using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Tuning;

/// <summary>Reads Vertex AI's list of tuning jobs for a while, page by page, and goes on where it stopped.</summary>
public sealed class JobListReader(ITuningService tuning, TimeProvider time)
{
    /// <summary>Reads at least one page, so that each call brings the pass forward.</summary>
    /// <param name="saved">Null for a pass that begins.</param>
    /// <param name="since">Older jobs need not be read, if the order proves them older. Null: all are read.</param>
    /// <param name="patience">No further page is asked for after this.</param>
    /// <param name="pick">Of a page's jobs, those that the pass must not forget.</param>
    /// <param name="save">Keeps the pass, after each page; false ends the reading.</param>
    /// <returns>The pass as it was saved last; null when it could not be saved.</returns>
    public async Task<ListingPass?> ReadAsync(
        NpgsqlConnection db, string parent, ListingPass? saved, DateTimeOffset? since, TimeSpan patience,
        Func<IReadOnlyList<TuningJob>, Task<IReadOnlyList<TuningJob>>> pick, Func<ListingPass, Task<bool>> save,
        CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var pass = ListingPass.GoOn(saved, await db.ReadClockAsync(cancellationToken));
        while (true)
        {
            var isRefused = false;
            try
            {
                var page = await tuning.ListPageAsync(parent, pass.PageToken, cancellationToken);
                pass = pass.Add(page, await pick(page.Jobs));
            }
            catch (PageTokenRefusedException)
            {
                isRefused = true;
                pass = pass.Restart(await db.ReadClockAsync(cancellationToken));
            }

            if (!await save(pass))
            {
                return null;
            }

            var isDone = since is { } bound ? pass.Proves(bound) : pass.IsAtEnd;
            if (isDone || (isRefused && pass.IsGivenUp) || time.GetElapsedTime(started) >= patience)
            {
                return pass;
            }
        }
    }
}
