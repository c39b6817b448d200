using System.Net;
using System.Net.Sockets;
using FeedbackLoop.Extraction;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Local.VertexAi;
using FeedbackLoop.Testing;
using Google.Cloud.AIPlatform.V1;
using Grpc.Core;
using Microsoft.Extensions.Options;
using ThinkingLevel = Google.Cloud.AIPlatform.V1.GenerationConfig.Types.ThinkingConfig.Types.ThinkingLevel;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>What our clients of Vertex AI put on the wire, and what they make of the answers.</summary>
public sealed class VertexClientTests(PostgresFixture postgres)
{
    private static readonly CreationToken Token = new("the-token", TimeProvider.System.GetUtcNow().AddMinutes(5));

    [Fact]
    public async Task A_creation_is_sent_once_with_its_own_token_and_a_routing_header()
    {
        await using var server = await RefusingServer.StartAsync(World.Stop);
        using var client = new Client(server.Address);

        var answer = await client.Tuning.CreateAsync(Request(), Token);

        Assert.IsType<TuningAnswer.Unknown>(answer);
        var call = Assert.Single(server.Calls);
        Assert.Equal("/google.cloud.aiplatform.v1.GenAiTuningService/CreateTuningJob", call.Path);
        Assert.Equal("Bearer the-token", call.Headers["authorization"]);
        Assert.Equal("parent=projects%2Fdemo%2Flocations%2Fus-central1", call.Headers["x-goog-request-params"]);
        Assert.True(call.Headers.ContainsKey("grpc-timeout"));
        Assert.Equal(Request(), CreateTuningJobRequest.Parser.ParseFrom(call.Message));
    }

    [Fact]
    public async Task A_read_is_sent_up_to_four_times()
    {
        await using var server = await RefusingServer.StartAsync(World.Stop);
        using var client = new Client(server.Address);

        await Assert.ThrowsAsync<RpcException>(() => client.Tuning.GetAsync(
            "projects/demo/locations/us-central1/tuningJobs/1", World.Stop));

        Assert.Equal(4, server.Calls.Count);
        Assert.All(server.Calls, call => Assert.Equal(
            "name=projects%2Fdemo%2Flocations%2Fus-central1%2FtuningJobs%2F1", call.Headers["x-goog-request-params"]));
        Assert.All(server.Calls, call => Assert.False(call.Headers.ContainsKey("authorization")));
    }

    [Theory]
    [InlineData("http://127.0.0.1:{free}")]
    [InlineData("http://there-is-no-such-host.invalid:1")]
    [InlineData("https://127.0.0.1:{plaintext}")]
    public async Task Nothing_is_sent_where_nobody_can_be_reached(string address)
    {
        await using var plaintext = await RefusingServer.StartAsync(World.Stop);
        using var client = new Client(new Uri(address
            .Replace("{free}", $"{FreePort()}", StringComparison.Ordinal)
            .Replace("{plaintext}", $"{plaintext.Address.Port}", StringComparison.Ordinal)));

        Assert.IsType<TuningAnswer.NotSent>(await client.Tuning.CreateAsync(Request(), Token));
        Assert.Empty(plaintext.Calls);
    }

    [Fact]
    public async Task A_tuned_model_is_asked_at_its_multi_region_without_a_forced_form()
    {
        await using var server = await RefusingServer.StartAsync(World.Stop);
        using var client = new Client(server.Address);

        await Assert.ThrowsAsync<RpcException>(() => client.Extraction.GenerateAsync(
            "gemini-3.5-flash", "projects/123/locations/us-central1/endpoints/9", "system", "user", World.Stop));

        var request = GenerateContentRequest.Parser.ParseFrom(server.Calls[0].Message);
        Assert.Equal("projects/123/locations/us/endpoints/9", request.Model);
        Assert.Equal(("", null), (request.GenerationConfig.ResponseMimeType, request.GenerationConfig.ResponseSchema));
        Assert.Equal(ThinkingLevel.Minimal, request.GenerationConfig.ThinkingConfig.ThinkingLevel);
        Assert.False(request.GenerationConfig.ThinkingConfig.HasThinkingBudget);
        Assert.Equal("model=projects%2F123%2Flocations%2Fus%2Fendpoints%2F9", server.Calls[0].Headers["x-goog-request-params"]);
    }

    [Fact]
    public async Task A_base_model_is_asked_for_json()
    {
        await using var server = await RefusingServer.StartAsync(World.Stop);
        using var client = new Client(server.Address);

        await Assert.ThrowsAsync<RpcException>(() => client.Extraction.GenerateAsync(
            "gemini-3.5-flash", null, "system", "user", World.Stop));

        var request = GenerateContentRequest.Parser.ParseFrom(server.Calls[0].Message);
        Assert.Equal("projects/demo/locations/us/publishers/google/models/gemini-3.5-flash", request.Model);
        Assert.Equal("application/json", request.GenerationConfig.ResponseMimeType);
        Assert.Equal(("system", "user"), (request.SystemInstruction.Parts[0].Text, request.Contents[0].Parts[0].Text));
    }

    [Fact]
    public async Task A_list_has_pages_of_a_hundred_jobs()
    {
        await using var world = await World.StartAsync(postgres);
        world.Store.Put("train.jsonl", World.Line);
        var token = await world.Service.MintTokenAsync(World.Stop);
        for (var job = 0; job < 101; job++)
        {
            world.Vertex.Faults.EndNextJob(JobState.Running, "");
            Assert.IsType<TuningAnswer.Created>(await world.Service.CreateAsync(Request(), token));
        }

        var first = await world.Service.ListPageAsync(world.Service.Target.Parent, "", World.Stop);
        var last = await world.Service.ListPageAsync(world.Service.Target.Parent, first.NextToken, World.Stop);

        Assert.Equal((100, 1, ""), (first.Jobs.Count, last.Jobs.Count, last.NextToken));
        Assert.Equal(101, first.Jobs.Concat(last.Jobs).Select(job => job.Name).Distinct().Count());
    }

    [Fact]
    public async Task A_page_token_that_is_refused_is_told_from_other_refusals()
    {
        await using var world = await World.StartAsync(postgres);
        var parent = world.Service.Target.Parent;

        await Assert.ThrowsAsync<PageTokenRefusedException>(() => world.Service.ListPageAsync(parent, "1.1", World.Stop));

        world.Vertex.Faults.Script(
            VertexMethod.ListTuningJobs, new VertexAnswer.Refuse(StatusCode.InvalidArgument, "parent"),
            new VertexAnswer.Refuse(StatusCode.PermissionDenied, "no"));
        await Assert.ThrowsAsync<RpcException>(() => world.Service.ListPageAsync(parent, "", World.Stop));
        await Assert.ThrowsAsync<RpcException>(() => world.Service.ListPageAsync(parent, "1.1", World.Stop));
    }

    [Fact]
    public async Task A_job_that_is_over_cannot_be_stopped_and_one_that_never_was_is_null()
    {
        await using var world = await World.StartAsync(postgres);
        world.Store.Put("train.jsonl", World.Line);
        var created = await world.Service.CreateAsync(Request(), await world.Service.MintTokenAsync(World.Stop));
        var name = Assert.IsType<TuningAnswer.Created>(created).Job.Name;
        await world.Vertex.WaitForEndAsync(name, World.Stop);

        Assert.False(await world.Service.CancelAsync(name, World.Stop));
        Assert.Null(await world.Service.GetAsync($"{name}0", World.Stop));
    }

    [Fact]
    public async Task A_tuned_model_answers_and_one_whose_endpoint_is_gone_says_so()
    {
        await using var world = await World.StartAsync(postgres);
        var run = await world.AddReadyModelAsync(await world.AddScopeAsync());
        var endpoint = (await world.FindModelAsync(run))!.VertexEndpoint!;
        var model = new VertexExtractionModel(
            world.Cloud, Options.Create(Catalogues.Usual), world.Channels, TimeProvider.System);

        var answer = await model.GenerateAsync("gemini-3.1-flash-lite", endpoint, "Extract.", "Ada", World.Stop);
        Assert.Equal("Stop", answer.FinishReason);
        Assert.True(answer is { Text.Length: > 0, InputTokens: > 0, OutputTokens: > 0 });

        world.Vertex.RemoveEndpoint(endpoint);
        await Assert.ThrowsAsync<ExtractionModelGoneException>(() => model.GenerateAsync(
            "gemini-3.1-flash-lite", endpoint, "Extract.", "Ada", World.Stop));
    }

    [Fact]
    public async Task A_token_that_is_refused_says_why()
    {
        await using var world = await World.StartAsync(postgres);
        world.Vertex.Faults.AnswerIam(403);

        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => world.Service.MintTokenAsync(World.Stop));

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Contains("PERMISSION_DENIED", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("us-central1", "https://us-central1-aiplatform.googleapis.com/")]
    [InlineData("europe-west4", "https://europe-west4-aiplatform.googleapis.com/")]
    [InlineData("us", "https://aiplatform.us.rep.googleapis.com/")]
    [InlineData("eu", "https://aiplatform.eu.rep.googleapis.com/")]
    [InlineData("global", "https://aiplatform.googleapis.com/")]
    public void Hosts_follow_the_location(string location, string address) =>
        Assert.Equal(address, VertexAddress.Of(location).ToString());

    private static CreateTuningJobRequest Request() => new()
    {
        Parent = "projects/demo/locations/us-central1",
        TuningJob = new Google.Cloud.AIPlatform.V1.TuningJob
        {
            BaseModel = "gemini-3.1-flash-lite",
            SupervisedTuningSpec = new SupervisedTuningSpec { TrainingDatasetUri = "gs://datasets/train.jsonl" },
        },
    };

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private sealed class Client : IDisposable
    {
        private readonly VertexChannels _channels;
        private readonly IamCredentialsClient _iam;

        public Client(Uri address)
        {
            var cloud = Options.Create(new GoogleCloudOptions
            {
                ProjectId = "demo",
                Location = "us-central1",
                Environment = "test",
                VertexAddress = address,
            });
            _channels = new VertexChannels(cloud, new GoogleAccess());
            _iam = new IamCredentialsClient(cloud, new GoogleAccess());
            Tuning = new VertexTuningService(cloud, _channels, _iam, TimeProvider.System);
            Extraction = new VertexExtractionModel(
                cloud, Options.Create(Catalogues.Usual), _channels, TimeProvider.System);
        }

        public VertexTuningService Tuning { get; }

        public VertexExtractionModel Extraction { get; }

        public void Dispose()
        {
            _channels.Dispose();
            _iam.Dispose();
        }
    }
}
