using FeedbackLoop.Knowledge;
using FeedbackLoop.Statistics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.PollTuning;

/// <summary>
/// The part of the sweep that brings statistics up to date where nobody reads them, so that the next reading has little to
/// fold. What does not fit is left to the next sweep.
/// </summary>
internal sealed partial class StatisticsSweep(
    NpgsqlDataSource database,
    StatisticsFold fold,
    TimeProvider time,
    IOptions<SweepOptions> options,
    ILogger<StatisticsSweep> logger)
{
    /// <returns>Projects that were folded or counted.</returns>
    public async Task<int> FoldAsync(List<Exception> failures, CancellationToken cancellationToken)
    {
        IReadOnlyList<Guid> projects;
        await using (var db = await database.OpenConnectionAsync(cancellationToken))
        {
            await db.ForgetGoneConfirmationsAsync(cancellationToken);
            await db.ForgetGoneProjectsAsync(cancellationToken);
            projects = await db.ListProjectsToFoldAsync(fold.Rules, options.Value.BatchSize, cancellationToken);
        }

        var folded = 0;
        var start = time.GetTimestamp();
        foreach (var (index, project) in projects.Index())
        {
            if (time.GetElapsedTime(start) > options.Value.FoldTime)
            {
                LogLeft(projects.Count - index);
                break;
            }

            try
            {
                await fold.FoldAllAsync(project, options.Value.FoldLimit, cancellationToken);
                folded++;
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                LogFoldFailed(e, project);
                failures.Add(e);
            }
        }

        return folded;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Statistics of project {ProjectId} could not be folded")]
    private partial void LogFoldFailed(Exception exception, Guid projectId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Statistics of {Projects} projects are left to the next sweep")]
    private partial void LogLeft(int projects);
}
