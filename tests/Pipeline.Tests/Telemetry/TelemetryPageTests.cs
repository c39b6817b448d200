using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using FeedbackLoop.Platform;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Pipeline.Tests.Telemetry;

/// <summary><c>docs/telemetry.md</c> against the code and the real schema.</summary>
public sealed partial class TelemetryPageTests(PostgresFixture postgres)
{
    private static readonly HashSet<string> Histograms = ["_bucket", "_sum", "_count"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_table_of_metrics_has_each_metric_of_the_code_and_no_other()
    {
        var written = MetricRow().Matches(await ReadPageAsync())
            .Select(row => (row.Groups["name"].Value, row.Groups["kind"].Value, row.Groups["unit"].Value));

        Assert.Equal(Instruments().Select(each => (each.Name, KindOf(each), each.Unit ?? "")).Order(), written.Order());
    }

    [Fact]
    public async Task Each_query_asks_for_metrics_that_there_are_by_the_names_that_Prometheus_gives_them()
    {
        var names = Instruments().SelectMany(PrometheusNames).ToHashSet();

        var asked = CodeBlock().Matches(await ReadPageAsync())
            .Where(block => block.Groups["language"].Value == "promql")
            .SelectMany(block => PrometheusName().Matches(block.Groups["text"].Value))
            .Select(name => name.Value)
            .Where(name => !Labels.Contains(name))
            .ToList();

        Assert.NotEmpty(asked);
        Assert.Empty(asked.Except(names));
    }

    [Fact]
    public async Task Each_statement_runs_on_the_real_schema()
    {
        await using var database = await postgres.CreateDatabaseAsync(Stop);
        var statements = CodeBlock().Matches(await ReadPageAsync())
            .Where(block => block.Groups["language"].Value == "sql")
            .Select(block => block.Groups["text"].Value)
            .ToList();

        Assert.NotEmpty(statements);
        foreach (var statement in statements)
        {
            await using var command = database.Database.CreateCommand(statement);
            await using var reader = await command.ExecuteReaderAsync(Stop);
            Assert.True(reader.FieldCount > 1, statement);
        }
    }

    // Names of labels that look like metrics.
    private static HashSet<string> Labels { get; } = ["gen_ai_token_type"];

    private static List<Instrument> Instruments()
    {
        var found = new List<Instrument>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == PipelineMetrics.MeterName)
                {
                    found.Add(instrument);
                }
            },
        };
        RuntimeHelpers.RunClassConstructor(typeof(PipelineMetrics).TypeHandle);
        listener.Start();
        return found;
    }

    private static string KindOf(Instrument instrument) => instrument.GetType().Name.Split('`')[0].ToLowerInvariant();

    // https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
    private static IEnumerable<string> PrometheusNames(Instrument instrument)
    {
        var unit = instrument.Unit switch
        {
            "s" => "_seconds",
            { } annotated when annotated.StartsWith('{') => "",
            var other => $"_{other}",
        };
        var name = instrument.Name.Replace('.', '_') + unit;
        return KindOf(instrument) switch
        {
            "counter" => [$"{name}_total"],
            "histogram" => Histograms.Select(part => name + part),
            _ => [name],
        };
    }

    private static Task<string> ReadPageAsync() =>
        File.ReadAllTextAsync(Path.Combine(FindRoot(new(AppContext.BaseDirectory)), "docs", "telemetry.md"), Stop);

    private static string FindRoot(DirectoryInfo directory) =>
        File.Exists(Path.Combine(directory.FullName, "Functions.sln"))
            ? directory.FullName
            : FindRoot(directory.Parent ?? throw new InvalidOperationException("Functions.sln is nowhere above the tests"));

    [GeneratedRegex(@"^\| `(?<name>[a-z_.]+)` \| (?<kind>counter|histogram|gauge) \| `(?<unit>[^`]+)` \|", RegexOptions.Multiline)]
    private static partial Regex MetricRow();

    [GeneratedRegex(@"^```(?<language>\w*)\n(?<text>(?:.*\n)+?)```$", RegexOptions.Multiline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"\b(?:feedback_loop|gen_ai)_\w+")]
    private static partial Regex PrometheusName();
}
