using System.Globalization;
using FeedbackLoop.Runs;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace FeedbackLoop.Cli.Runs;

/// <summary>A run, and a list of runs, for people.</summary>
internal static class RunPage
{
    private const int BarWidth = 30;

    public static IRenderable Of(RunReport run)
    {
        var facts = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn();
        foreach (var (name, value) in Facts(run))
        {
            facts.AddRow(new Text(name), value);
        }

        List<IRenderable> parts = [facts];
        if (run.Evaluation is { Count: > 0 } evaluation)
        {
            parts.AddRange([Text.Empty, EvaluationTable.Of(evaluation)]);
        }

        if (run.Timeline is { Count: > 0 } timeline)
        {
            parts.AddRange([Text.Empty, Timeline(timeline)]);
        }

        return new Rows(parts);
    }

    public static IRenderable Of(IReadOnlyList<RunReport> runs)
    {
        if (runs.Count == 0)
        {
            return new Text("No runs. Start one with train-general-model or train-project-model.");
        }

        var table = CommandOutput.Table("RUN", "STATE", "SCOPE", "EXAMPLES", "COST", "MODEL", "REQUESTED", "BY");
        foreach (var run in runs)
        {
            table.AddRow(
                new Text($"{run.RunId}"), State(run.State), new Text(run.Scope), new Text(Examples(run) ?? "–"),
                new Text(Cost(run) ?? "–"), new Text(run.Model is { } model ? $"v{model.Version} {model.Status}" : "–"),
                new Text(Time(run.CreatedAt)), new Text(run.RequestedBy));
        }

        return table;
    }

    /// <summary>Where a run stands, on one line.</summary>
    public static string Line(RunEvent step) =>
        $"{Time(step.At)}  {step.State,-14}{(step.Reason is { } reason ? "  " + reason : "")}".TrimEnd();

    /// <summary>How far the export is, in words; null when nothing was read.</summary>
    public static string? Progress(RunReport run) => run.Progress is not { } progress
        ? null
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{progress.Candidates:N0} extractions read, {progress.Examples:N0} examples, {progress.Bytes / 1e6:N1} MB");

    private static IEnumerable<(string Name, IRenderable Value)> Facts(RunReport run)
    {
        yield return ("Run", new Text($"{run.RunId}"));
        yield return ("Scope", new Text(run.Scope));
        yield return ("State", State(run.State));
        foreach (var (name, text) in ((string, string?)[])
            [
                ("Reason", run.Reason),
                ("Waits for", run.ApprovalAskedUsd is { } asked
                    ? $"an approval of {Usd(asked)}, until {Time(run.ApprovalUntil!.Value)}; feedbackloop approve {run.RunId}" // both or none
                    : null),
                ("Approved", run.ApprovedUsd is { } approved ? Usd(approved) : null),
                ("Requested", $"{Time(run.CreatedAt)} by {run.RequestedBy} ({run.Trigger})"),
                ("Ended", run.EndedAt is { } end ? $"{Time(end)}, after {Duration(end - run.CreatedAt)}" : null),
            ])
        {
            if (text is not null)
            {
                yield return (name, new Text(text));
            }
        }

        if (Export(run) is { } export)
        {
            yield return ("Export", export);
        }

        foreach (var (name, text) in ((string, string?)[])
            [
                ("Examples", Examples(run)),
                ("Cost", Cost(run)),
                ("Base model", run.BaseModel),
                ("On top of", run.ParentModelId is { } parent ? $"model {parent}" : null),
                ("Tuning job", run.TuningJob),
                ("Console", run.TuningJobPage?.AbsoluteUri),
                ("Dropped", run.DroppedExamples is > 0 and var dropped ? $"{dropped} examples, by Vertex" : null),
                ("Model", run.Model is { } model ? $"{model.Id}, version {model.Version}, {model.Status}" : null),
                ("Verdict", run.Model is { Verdict: { } verdict, VerdictReason: { } why }
                    ? $"{verdict.Replace('_', ' ')}: {why}"
                    : null),
            ])
        {
            if (text is not null)
            {
                yield return (name, new Text(text));
            }
        }
    }

    private static Text? Export(RunReport run)
    {
        if (Progress(run) is not { } words)
        {
            return null;
        }

        if (run is not { State: RunState.Exporting, Extractions: > 0, Progress: { } progress })
        {
            return new Text(words);
        }

        // An estimate must not claim the end before the end.
        var part = Math.Min(0.99, (double)progress.Candidates / run.Extractions.Value);
        var done = (int)(part * BarWidth);
        var bar = new string('━', done) + new string('─', BarWidth - done);
        return new Text(string.Create(CultureInfo.InvariantCulture, $"{bar} {part * 100:0} %  {words}"));
    }

    private static Table Timeline(IReadOnlyList<RunEvent> events)
    {
        var table = CommandOutput.Table("AT", "STATE", "REASON");
        foreach (var step in events)
        {
            table.AddRow(new Text(Time(step.At)), State(step.State), new Text(step.Reason ?? ""));
        }

        return table;
    }

    private static string? Examples(RunReport run) => run.TrainExamples is { } train
        ? string.Create(CultureInfo.InvariantCulture, $"{train:N0} train, {run.ValidationExamples ?? 0:N0} validation, {run.TestExamples ?? 0:N0} held out")
        : null;

    private static string? Cost(RunReport run) => (run.EstimatedCostUsd, run.ActualCostUsd) switch
    {
        (_, { } actual) when run.EstimatedCostUsd is { } estimate => $"{Usd(actual)}, {Usd(estimate)} estimated",
        (_, { } actual) => Usd(actual),
        ({ } estimate, null) => $"{Usd(estimate)} estimated",
        _ => null,
    };

    private static string Usd(decimal amount) => string.Create(CultureInfo.InvariantCulture, $"{amount:0.00##} USD");

    private static Text State(string state) => new(state, state switch
    {
        RunState.Succeeded => new Style(Color.Green),
        RunState.Failed => new Style(Color.Red),
        RunState.NeedsOperator or RunState.AwaitingApproval or RunState.CreateUnknown or RunState.Skipped => new Style(Color.Yellow),
        RunState.Cancelled or RunState.Cancelling => new Style(Color.Grey),
        _ => new Style(Color.Blue),
    });

    private static string Time(DateTimeOffset at) =>
        at.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Duration(TimeSpan span) => span switch
    {
        { TotalSeconds: < 60 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.0} s"),
        { TotalHours: < 1 } => $"{span.Minutes} min {span.Seconds} s",
        _ => $"{(int)span.TotalHours} h {span.Minutes} min",
    };
}
