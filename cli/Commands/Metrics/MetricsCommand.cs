using System.CommandLine;
using FeedbackLoop.Cli.Arguments;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Metrics;

namespace FeedbackLoop.Cli.Commands.Metrics;

/// <summary>How good, how much used, how fast and how dear the models of extractions were.</summary>
internal sealed class MetricsCommand : OperatorCommand
{
    private readonly TimeProvider _time;
    private readonly ScopeOptions _scope = new();
    private readonly Option<string?> _from = DateOption.Create(
        "--from", $"First day (UTC) whose extractions count. [default: {MetricsPeriod.UsualDays} days up to --to]");

    private readonly Option<string?> _to = DateOption.Create("--to", "Last day (UTC). [default: today]");

    public MetricsCommand(TimeProvider time)
        : base(
            "metrics",
            "Shows what people made of what each model extracted: accuracy by tier, by model and over time, tuned models "
            + $"against base models, and usage, latency, tokens and cost. At most {MetricsPeriod.MostDays} days.")
    {
        _time = time;
        _scope.AddAtLeastOneTo(this);
        Options.Add(_from);
        Options.Add(_to);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "feedbackloop metrics --organization 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d11",
        "feedbackloop metrics --project 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10 --from 2026-09-01 --to 2026-09-30",
        "feedbackloop metrics --organization 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d11 --json",
    ];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        var today = DateOnly.FromDateTime(_time.GetUtcNow().UtcDateTime);
        if (!MetricsPeriod.TryRead(
            arguments.GetValue(_from), arguments.GetValue(_to), today, out var period, out var errors))
        {
            throw DateOption.Explain(errors, Name);
        }

        var settings = OperatorSettings.Read(arguments);
        var catalogue = settings.ReadCatalogue();
        await using var database = settings.OpenDatabase();
        var scope = await _scope.GetAsync(database, arguments, cancellationToken);
        var reader = new MetricsReader(database.OpenConnectionAsync, catalogue, settings.ReadVerification());
        var metrics = await reader.ReadAsync(scope, period, shownProjects: null, cancellationToken);
        output.Result(metrics, MetricsJson.Default.ExtractionMetrics, MetricsPage.Of(scope, metrics));
        return ExitCode.Done;
    }
}
