using System.Diagnostics;
using System.Text.Json;
using FeedbackLoop.Local;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Microsoft.Extensions.Logging;

namespace FeedbackLoop.Pipeline.Tests.Telemetry;

/// <summary>What the whole chain says about itself during a run and an extraction.</summary>
public sealed class LogTests(PostgresFixture postgres)
{
    private const string Canary = "Quetzalcanary";

    private static readonly HashSet<string> Severities = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_line_is_one_JSON_object_in_Cloud_Loggings_shape_with_its_trace()
    {
        using var output = new MemoryStream();
        Run run;
        await using (var chain = await StartAsync(output))
        {
            run = await chain.RunToEndAsync(await chain.PostRunAsync());
        }

        var lines = Lines(output).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.NotEmpty(lines);
        Assert.All(lines, line =>
        {
            Assert.Contains(line.GetProperty("severity").GetString()!, Severities);
            Assert.NotEmpty(line.GetProperty("message").GetString()!);
            Assert.True(line.GetProperty("time").TryGetDateTimeOffset(out _));
            Assert.NotEmpty(Labels(line).GetProperty("category").GetString()!);
        });

        // All that the event functions log about the run is found by its trace.
        var ofRun = lines.Where(line => Labels(line).TryGetProperty("RunId", out var id) && id.GetString() == $"{run.Id}").ToList();
        Assert.NotEmpty(ofRun);
        Assert.All(ofRun, line =>
        {
            Assert.Equal(
                $"projects/{LocalChain.GoogleProject}/traces/{run.TraceParent!.Split('-')[1]}",
                line.GetProperty("logging.googleapis.com/trace").GetString());
            Assert.Matches("^[0-9a-f]{16}$", line.GetProperty("logging.googleapis.com/spanId").GetString()!);
            Assert.True(line.TryGetProperty("logging.googleapis.com/trace_sampled", out _));
        });
        Assert.Contains(ofRun, line => line.TryGetProperty("TrainExamples", out var count) && count.ValueKind == JsonValueKind.Number);
    }

    [Fact]
    public async Task No_text_of_a_chunk_stands_in_a_log_line_a_span_or_a_tag()
    {
        using var output = new MemoryStream();
        using var metrics = new RecordedMetrics();
        IReadOnlyList<Activity> ended;
        await using (var chain = await StartAsync(output))
        {
            await chain.Database.ExecuteAsync(
                $"update kb.chunks set text = text || ' {Canary} is a system of {Canary} Limited.'", Stop);
            using var spans = new RecordedSpans();
            var run = await chain.RunToEndAsync(await chain.PostRunAsync());
            Assert.Equal(RunState.Succeeded, run.State);
            var job = await chain.AddExtractionJobAsync();
            await chain.Local.RequestExtractionAsync(job, Stop);
            await chain.WaitForExtractionAsync(job);
            await Patience.UntilAsync(
                () => spans.All.Any(span => span.DisplayName == "process extraction-requested"), () => "the last span does not end");
            ended = spans.All;
        }

        Assert.Contains(Lines(output), line => line.Contains("extraction-requested", StringComparison.Ordinal));
        Assert.DoesNotContain(Lines(output), line => line.Contains(Canary, StringComparison.OrdinalIgnoreCase));
        Assert.Contains(ended, span => span.DisplayName.StartsWith("generate_content", StringComparison.Ordinal));
        Assert.DoesNotContain(
            ended.SelectMany(RecordedSpans.TextsOf), text => text?.Contains(Canary, StringComparison.OrdinalIgnoreCase) == true);
        Assert.Contains(metrics.All, each => each.Instrument == "gen_ai.client.token.usage");
        Assert.DoesNotContain(
            metrics.All.SelectMany(each => each.Tags), tag => tag.Contains(Canary, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Every_event_of_a_run_and_an_extraction_is_counted_and_no_tag_is_an_id()
    {
        using var metrics = new RecordedMetrics();
        await using var chain = await Chain.StartAsync(postgres);

        var run = await chain.RunToEndAsync(await chain.PostRunAsync());
        var job = await chain.AddExtractionJobAsync();
        await chain.Local.RequestExtractionAsync(job, Stop);
        await chain.WaitForExtractionAsync(job);
        await chain.Local.TickAsync(Stop);
        string[] expected =
        [
            "feedback_loop.run.started tier=general purpose=training trigger=manual",
            "feedback_loop.run.ended outcome=succeeded tier=general purpose=training trigger=manual",
            "feedback_loop.step.duration topic=export-requested outcome=done",
            "feedback_loop.example.exported tier=general split=train",
            "feedback_loop.tuning_job.created tier=general gen_ai.request.model=gemini-3.1-flash-lite",
            "feedback_loop.tuning_job.estimated_cost tier=general gen_ai.request.model=gemini-3.1-flash-lite",
            "feedback_loop.extraction.ended tier=general valid=True",
            "feedback_loop.outbox.waiting topic=export-requested",
            "feedback_loop.outbox.age topic=export-requested",
        ];
        await Patience.UntilAsync(() => !Missing().Any(), () => $"not counted: {string.Join(", ", Missing())}");
        Assert.Equal(RunState.Succeeded, run.State);
        Assert.DoesNotContain(
            metrics.All.SelectMany(each => each.Tags), tag => Guid.TryParse(tag.Split('=')[1], out _));

        IEnumerable<string> Missing() =>
            expected.Except(metrics.All.Select(each => $"{each.Instrument} {string.Join(' ', each.Tags)}"));
    }

    // As in a deployment each function has a provider of its own; here they share one output.
    private Task<Chain> StartAsync(MemoryStream output)
    {
        var shared = Stream.Synchronized(output);
        var formatter = new CloudLogFormatter(
            LocalChain.GoogleProject, service: null, version: null, TimeProvider.System);
        return Chain.StartAsync(
            postgres,
            logging: logging => logging.AddProvider(new CloudLogProvider(shared, formatter)).SetMinimumLevel(LogLevel.Debug));
    }

    private static string[] Lines(MemoryStream output) =>
        System.Text.Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static JsonElement Labels(JsonElement line) => line.GetProperty("logging.googleapis.com/labels");
}
