using System.Diagnostics;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Local;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Scheduling;
using FeedbackLoop.Testing;
using Google.Cloud.AIPlatform.V1;
using Google.Cloud.PubSub.V1;
using Google.Protobuf;
using Microsoft.Extensions.Time.Testing;

namespace FeedbackLoop.Pipeline.Tests.Telemetry;

/// <summary>Whole runs over the real chain, looked at by their spans.</summary>
public sealed class TraceTests(PostgresFixture postgres) : IDisposable
{
    private static readonly TimeSpan JobTakes = TimeSpan.FromSeconds(10);

    private readonly RecordedSpans _spans = new();
    private readonly FakeTimeProvider _jobTime = new(TimeProvider.System.GetUtcNow());

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _spans.Dispose();

    [Fact]
    public async Task From_the_request_to_the_ready_model_a_run_is_one_trace()
    {
        await using var chain = await StartAsync();

        var run = await RunAsync(chain);
        var spans = await WaitForAsync(TraceOf(run), "process training-finished");

        Assert.Equal(RunState.Succeeded, run.State);
        Assert.All(
            _spans.All.Where(span => Equals(span.GetTagItem("feedback_loop.run.id"), run.Id.ToString())),
            span => Assert.Equal(TraceOf(run), span.TraceId));
        string[] names =
        [
            "send export-requested", "process export-requested", "send dataset-exported", "process dataset-exported",
            "send tuning-started", "process tuning-started", "poll tuning job", "send training-finished",
            "process training-finished",
        ];
        Assert.Empty(names.Except(spans.Select(span => span.DisplayName)));
        Assert.Contains(spans, span => span.Kind == ActivityKind.Server && span.Source.Name == "Microsoft.AspNetCore");
        Assert.Contains(spans, span => span.Source.Name == "Npgsql");

        // The evaluation is a delivery of its own, below the look that found the job's end.
        Assert.Equal(
            ["process training-finished", "send training-finished", "process tuning-started", "send tuning-started", "poll tuning job"],
            FromTo(spans, spans.First(span => span.DisplayName == "process training-finished"), "poll tuning job"));
    }

    [Fact]
    public async Task The_spans_of_a_run_are_one_tree_below_the_request()
    {
        await using var chain = await StartAsync();

        var run = await RunAsync(chain);
        var spans = await WaitForAsync(TraceOf(run), "process training-finished");

        // Spans that are still open when their children end are left out, such as the request to a function that is frozen.
        var known = spans.Select(span => span.SpanId).ToHashSet();
        var orphans = spans.Where(span => span.Source.Name == PipelineTraces.SourceName && !known.Contains(span.ParentSpanId));
        Assert.Empty(orphans.Select(span => span.DisplayName));
        Assert.Single(spans, span => span.ParentSpanId == default);
    }

    [Fact]
    public async Task A_poll_by_the_sweep_belongs_to_the_run_and_links_to_the_sweep()
    {
        await using var chain = await StartAsync();

        var run = await RunAsync(chain);
        var spans = await WaitForAsync(TraceOf(run), "process training-finished");

        var poll = spans.First(span => span.DisplayName == "poll tuning job");
        var link = Assert.Single(poll.Links);
        Assert.NotEqual(TraceOf(run), link.Context.TraceId);
        var sweep = _spans.Of(link.Context.TraceId).Single(span => span.SpanId == link.Context.SpanId);
        Assert.Equal("process poll-tick", sweep.DisplayName);
    }

    [Fact]
    public async Task A_run_that_a_schedule_starts_goes_on_in_the_trace_of_its_tick()
    {
        await using var chain = await Chain.StartAsync(postgres);
        await using (var db = await chain.Database.Database.OpenConnectionAsync(Stop))
        {
            await db.SaveScheduleAsync(
                new Scope(chain.Organization, null),
                new() { Enabled = true, CronEnabled = true, CronExpression = "0 */8 * * *", TimeZone = "UTC" },
                expectedVersion: null, "user:tester", TimeProvider.System.GetUtcNow().AddDays(-1), Stop);
        }

        await chain.Local.TickSchedulesAsync(Stop);
        var run = await chain.FindAsync(await chain.WaitForRunAsync(RunTrigger.Cron));
        var spans = await WaitForAsync(TraceOf(run), "process dataset-exported");

        Assert.Contains(spans, span => span.DisplayName == "process schedule-tick");
        Assert.Contains(spans, span => span.DisplayName == "process export-requested");
    }

    [Fact]
    public async Task An_extraction_goes_on_in_the_trace_of_the_product_and_names_what_the_model_used()
    {
        await using var chain = await Chain.StartAsync(postgres);
        var job = await chain.AddExtractionJobAsync();
        var trace = ActivityTraceId.CreateRandom();

        await PublishAsync(chain, job, $"00-{trace}-{ActivitySpanId.CreateRandom()}-01");
        await chain.WaitForExtractionAsync(job);
        var spans = await WaitForAsync(trace, "process extraction-requested");

        var process = spans.Single(span => span.DisplayName == "process extraction-requested");
        Assert.Equal(ActivityKind.Consumer, process.Kind);
        Assert.Equal("gcp_pubsub", process.GetTagItem("messaging.system"));
        Assert.Equal("extraction-requested", process.GetTagItem("messaging.destination.name"));
        Assert.Equal("done", process.GetTagItem("feedback_loop.outcome"));
        var call = spans.First(span => span.DisplayName == "generate_content gemini-3.1-flash-lite");
        Assert.Equal("gcp.vertex_ai", call.GetTagItem("gen_ai.provider.name"));
        Assert.True(call.GetTagItem("gen_ai.usage.input_tokens") is > 0);
    }

    /// <summary>The chain's own spans from one up to the first ancestor of that name.</summary>
    private static List<string> FromTo(IReadOnlyCollection<Activity> spans, Activity from, string name)
    {
        var names = new List<string>();
        for (var span = from; span is not null; span = spans.FirstOrDefault(other => other.SpanId == span.ParentSpanId))
        {
            if (span.Source.Name == PipelineTraces.SourceName)
            {
                names.Add(span.DisplayName);
            }

            if (span.DisplayName == name)
            {
                break;
            }
        }

        return names;
    }

    private static ActivityTraceId TraceOf(Run run) =>
        ActivityContext.Parse(run.TraceParent ?? throw new InvalidOperationException("the run has no trace"), null).TraceId;

    // A span ends after what it did can be seen.
    private async Task<IReadOnlyList<Activity>> WaitForAsync(ActivityTraceId trace, string name)
    {
        await Patience.UntilAsync(
            () => _spans.Of(trace).Any(span => span.DisplayName == name),
            () => $"no '{name}' among {string.Join(", ", _spans.Of(trace).Select(span => span.DisplayName))}");
        return _spans.Of(trace);
    }

    private Task<Chain> StartAsync() => Chain.StartAsync(postgres, jobTime: _jobTime, jobRunning: JobTakes);

    // The first look finds the job at work, whatever the machine is doing, and the sweep has to come back for it.
    private async Task<Run> RunAsync(Chain chain)
    {
        var id = await chain.PostRunAsync();
        await Patience.UntilAsync(
            async () => await chain.FindAsync(id) is { State: RunState.Tuning, PollCount: > 0 }
                && chain.Local.Vertex.Jobs.All(job => job.State == JobState.Running),
            () => "nobody has looked at the tuning job");
        _jobTime.Advance(JobTakes * 2);
        return await chain.RunToEndAsync(id);
    }

    private static async Task PublishAsync(Chain chain, Guid job, string trace)
    {
        var address = chain.Local.PubSubAddress;
        using var channel = GoogleChannel.Create(address, address, new GoogleAccess());
        var message = new PubsubMessage
        {
            Data = ByteString.CopyFromUtf8($$"""{"jobId":"{{job}}"}"""),
            Attributes = { [Topics.Attribute] = Topics.ExtractionRequested, [PipelineTraces.MessageAttribute] = trace },
        };
        await new Publisher.PublisherClient(channel).PublishAsync(
            new()
            {
                Topic = $"projects/{LocalChain.GoogleProject}/topics/{Topics.ExtractionRequested}",
                Messages = { message },
            },
            cancellationToken: Stop);
    }
}
