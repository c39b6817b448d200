using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FeedbackLoop.Local;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Trace;

namespace FeedbackLoop.Pipeline.Tests.Telemetry;

/// <summary>Spans and metrics to a real OTLP endpoint, by functions whose own timers never fire.</summary>
public sealed class ExportTests(PostgresFixture postgres)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_is_answered_when_its_spans_and_metrics_are_sent_because_then_the_process_is_frozen()
    {
        await using var world = await World.StartAsync(postgres);
        await using var function = await FunctionHost.StartAsync(
            "ExportFunction", world.Settings(exported: true), extra: null, _ => { }, Stop);

        Assert.Equal(HttpStatusCode.OK, await world.PushAsync(function.Address));
        var requests = world.Receiver.Requests;

        Assert.All(requests, request => Assert.Equal("application/x-protobuf", request.ContentType));
        Assert.Contains(requests, request =>
            request.Path == "/v1/traces" && request.Says("process export-requested") && request.Says("gcp_pubsub"));
        Assert.Contains(requests, request =>
            request.Path == "/v1/metrics" && request.Says("feedback_loop.step.duration"));
    }

    [Fact]
    public async Task An_endpoint_that_does_not_answer_costs_seconds_and_no_message()
    {
        await using var world = await World.StartAsync(postgres);
        var gate = new TaskCompletionSource();
        world.Receiver.Gate = gate.Task;
        await using var function = await FunctionHost.StartAsync(
            "ExportFunction", world.Settings(exported: true), extra: null, _ => { }, Stop);

        Assert.Equal(HttpStatusCode.OK, await world.PushAsync(function.Address).WithPatience());

        Assert.NotEmpty(world.Receiver.Requests);
        Assert.InRange(TelemetryFlush.LongestWaitMs, 1, 5_000);
        gate.SetResult();
    }

    [Fact]
    public async Task Without_an_endpoint_there_is_no_exporter()
    {
        await using var world = await World.StartAsync(postgres);
        await using var function = await FunctionHost.StartAsync(
            "ExportFunction", world.Settings(exported: false), extra: null, _ => { }, Stop);

        Assert.Equal(HttpStatusCode.OK, await world.PushAsync(function.Address));

        Assert.Null(function.Services.GetService<TracerProvider>());
        Assert.Empty(world.Receiver.Requests);
    }

    [Fact]
    public async Task A_process_on_Cloud_Run_sends_before_its_answer_and_logs_for_Cloud_Logging_until_it_is_told_to_stop()
    {
        await using var world = await World.StartAsync(postgres);
        var settings = new Dictionary<string, string?>(world.Settings(exported: true))
        {
            ["K_SERVICE"] = "export",
            ["K_REVISION"] = "export-00007-abc",
        };
        await using var process = await FunctionProcess.StartAsync("ExportFunction", settings);

        Assert.Equal(HttpStatusCode.OK, await world.PushAsync(process.Address));
        var sent = world.Receiver.Requests;
        var output = await process.TerminateAsync();

        Assert.Contains(sent, request =>
            request.Path == "/v1/traces" && request.Says("process export-requested") && request.Says("export-00007-abc"));
        Assert.True(world.Receiver.Requests.Count > sent.Count, "the last metrics leave when the process stops");
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement).ToList();
        var rejected = Assert.Single(lines, line => line.GetProperty("severity").GetString() == "ERROR");
        Assert.StartsWith("projects/project/traces/", rejected.GetProperty("logging.googleapis.com/trace").GetString());
    }

    /// <summary>What one function needs, and a push for it that names a run that is not there.</summary>
    private sealed class World(TestDatabase database, PushIssuer issuer, OtlpReceiver receiver) : IAsyncDisposable
    {
        private readonly HttpClient _http = new();

        public OtlpReceiver Receiver => receiver;

        public static async Task<World> StartAsync(PostgresFixture postgres) => new(
            await postgres.CreateDatabaseAsync(Stop), await PushIssuer.StartAsync(Stop), await OtlpReceiver.StartAsync());

        public Dictionary<string, string?> Settings(bool exported) =>
            new Dictionary<string, string?>(exported ? receiver.Settings : new Dictionary<string, string?>())
            {
                ["Database:ConnectionString"] = database.ConnectionString,
                ["GoogleCloud:ProjectId"] = "project",
                ["GoogleCloud:Location"] = "us-central1",
                ["GoogleCloud:Bucket"] = "datasets",
                ["GoogleCloud:Environment"] = "test",
                ["GoogleCloud:TuningServiceAccount"] = "tuning@project.iam.gserviceaccount.com",
                ["GoogleCloud:StorageAddress"] = "http://127.0.0.1:1",
                ["GoogleCloud:PubSubAddress"] = "http://127.0.0.1:1",
            }.Concat(issuer.Settings).ToDictionary();

        public async Task<HttpStatusCode> PushAsync(Uri address)
        {
            var data = Convert.ToBase64String(Encoding.UTF8.GetBytes($$"""{"runId":"{{Guid.CreateVersion7()}}"}"""));
            using var request = new HttpRequestMessage(
                HttpMethod.Post, new Uri(address, $"/projects/project/topics/{Topics.ExportRequested}"));
            request.Headers.Authorization = issuer.Authorization;
            request.Content = JsonContent.Create(new JsonObject
            {
                ["message"] = new JsonObject
                {
                    ["messageId"] = "1",
                    ["data"] = data,
                    ["attributes"] = new JsonObject
                    {
                        [Topics.Attribute] = Topics.ExportRequested,
                        [PipelineTraces.MessageAttribute] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                    },
                },
                ["subscription"] = "projects/project/subscriptions/export-requested",
            });
            request.Content.Headers.ContentType = new("application/json");
            using var response = await _http.SendAsync(request, Stop);
            return response.StatusCode;
        }

        public async ValueTask DisposeAsync()
        {
            _http.Dispose();
            await receiver.DisposeAsync();
            await issuer.DisposeAsync();
            await database.DisposeAsync();
        }
    }
}
