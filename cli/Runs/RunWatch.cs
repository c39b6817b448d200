using System.Text.Json;
using FeedbackLoop.Runs;
using FeedbackLoop.Tuning;
using Npgsql;
using Spectre.Console;

namespace FeedbackLoop.Cli.Runs;

/// <summary>Follows a run until it rests. The run does not depend on it: stopping the watch stops nothing else.</summary>
internal sealed class RunWatch(
    NpgsqlDataSource database, BaseModelCatalogue catalogue, TimeProvider time, CommandOutput output)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <returns>0 for a run that succeeded, 4 for one that failed, 3 for every other end.</returns>
    public async Task<int> FollowAsync(RunId id, CancellationToken cancellationToken)
    {
        try
        {
            var end = output.IsTerminal
                ? await FollowOnTerminalAsync(id, cancellationToken)
                : await FollowByLinesAsync(id, cancellationToken);
            return end.ToExitCode();
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new CommandException(
                ExitCode.Failed, "the watch was interrupted",
                $"The run goes on. Watch it again: feedbackloop training-status {id} --watch", e);
        }
    }

    private async Task<RunReport> FollowOnTerminalAsync(RunId id, CancellationToken cancellationToken)
    {
        var run = await ReadAsync(id, cancellationToken);
        await AnsiConsole.Live(RunPage.Of(run)).StartAsync(async live =>
        {
            // The library draws nothing before it is asked to.
            live.Refresh();
            while (!run.IsAtRest)
            {
                await Task.Delay(Interval, time, cancellationToken);
                run = await ReadAsync(id, cancellationToken);
                live.UpdateTarget(RunPage.Of(run));
            }
        });
        return run;
    }

    /// <summary>One line, or one JSON document, for each change.</summary>
    private async Task<RunReport> FollowByLinesAsync(RunId id, CancellationToken cancellationToken)
    {
        var (eventsShown, progressShown, documentShown) = (0, "", "");
        while (true)
        {
            var run = await ReadAsync(id, cancellationToken);

            // A lease that is prolonged changes the time of the row and nothing that anybody watches for.
            var document = JsonSerializer.Serialize(run with { UpdatedAt = default }, CliJson.Default.RunReport);
            if (output.IsJson && document != documentShown)
            {
                CommandOutput.Document(run, CliJson.Default.RunReport);
            }

            documentShown = document;
            foreach (var step in run.Timeline!.Skip(eventsShown))  // a report of one run has its timeline
            {
                output.Note(RunPage.Line(step));
            }

            eventsShown = run.Timeline!.Count;
            if (run.State == RunState.Exporting && RunPage.Progress(run) is { } progress && progress != progressShown)
            {
                output.Note($"  {progress}");
                progressShown = progress;
            }

            if (run.IsAtRest)
            {
                if (run.Model is { } model)
                {
                    output.Note($"Model {model.Id}, version {model.Version} of {run.Scope}, is {model.Status}.");
                }

                return run;
            }

            await Task.Delay(Interval, time, cancellationToken);
        }
    }

    private async Task<RunReport> ReadAsync(RunId id, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        return await RunReport.FindAsync(db, id, catalogue, cancellationToken)
            ?? throw CommandException.Refused($"there is no run {id}", "Check the id and --database.");
    }
}
