using System.Net;
using FeedbackLoop.Local;
using FeedbackLoop.ModelSelection;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;

namespace FeedbackLoop.AdminApi.Tests.Worker;

/// <summary>The client of foreign workers against the API itself, over HTTP.</summary>
public sealed class ModelSelectionClientTests(ApiWorld world)
{
    private static readonly ServedModel Known = new(
        "base", null, null, "gemini-3.1-flash-lite", null, null, "configured",
        "projects/p/locations/us/publishers/google/models/gemini-3.1-flash-lite",
        "https://aiplatform.us.rep.googleapis.com", "minimal");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_project_with_both_tuned_models_gets_them_in_order_with_where_they_answer_and_the_prompt()
    {
        var scope = await AddScopeAsync();
        var general = await world.AddModelAsync(scope with { ProjectId = null }, ModelStatus.Ready);
        var project = await world.AddModelAsync(scope, ModelStatus.Ready);
        using var http = new CountingHandler();
        await using var api = await StartAsync(vertex: null);

        var selection = await Client(api, http, World.Manual()).SelectAsync(ProjectOf(scope), Stop);

        Assert.Equal(SelectionSource.Api, selection.Source);
        Assert.Equal(["project", "general", "base"], selection.Models.Select(model => model.Tier));
        Assert.Equal([project, general, null], selection.Models.Select(model => model.ModelId));
        Assert.Equal(
            $"https://aiplatform.us.rep.googleapis.com/v1/projects/1/locations/us/endpoints/{project}:generateContent",
            selection.Models[0].GenerateContentUrl.ToString());
        Assert.Equal("projects/1/locations/us-central1/endpoints/" + project, selection.Models[0].Endpoint);
        Assert.Equal(
            "https://aiplatform.us.rep.googleapis.com/v1/projects/project/locations/us/publishers/google/models/"
            + "gemini-3.1-flash-lite:generateContent",
            selection.Models[2].GenerateContentUrl.ToString());
        Assert.All(selection.Models, model => Assert.Equal("minimal", model.Thinking));
        Assert.Matches("^[0-9a-f]{64}$", selection.Prompt!.Hash);
        Assert.Contains("You extract entities", selection.Prompt.System, StringComparison.Ordinal);
        Assert.Contains("a chunk", selection.Prompt.User("a chunk"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_callers_cost_one_request_and_the_next_one_comes_after_half_a_minute()
    {
        var scope = await AddScopeAsync();
        using var http = new CountingHandler();
        await using var api = await StartAsync(vertex: null);
        var time = World.Manual();
        var client = Client(api, http, time);

        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => client.SelectAsync(ProjectOf(scope), Stop).AsTask()));
        Assert.Equal(1, http.Count);
        time.Advance(ModelSelectionClient.Freshness - TimeSpan.FromSeconds(1));
        await client.SelectAsync(ProjectOf(scope), Stop);
        Assert.Equal(1, http.Count);
        time.Advance(TimeSpan.FromSeconds(1));
        await client.SelectAsync(ProjectOf(scope), Stop);
        Assert.Equal(2, http.Count);
    }

    [Fact]
    public async Task While_the_API_is_away_the_last_answer_stands_and_says_so()
    {
        var scope = await AddScopeAsync();
        var project = await world.AddModelAsync(scope, ModelStatus.Ready);
        using var http = new CountingHandler();
        await using var api = await StartAsync(vertex: null);
        var time = World.Manual();
        var client = Client(api, http, time);
        await client.SelectAsync(ProjectOf(scope), Stop);

        http.Status = HttpStatusCode.ServiceUnavailable;
        time.Advance(ModelSelectionClient.Freshness);
        var away = await client.SelectAsync(ProjectOf(scope), Stop);
        http.Status = null;
        time.Advance(TimeSpan.FromSeconds(5));
        var back = await client.SelectAsync(ProjectOf(scope), Stop);

        Assert.Equal((SelectionSource.LastKnown, (Guid?)project), (away.Source, away.Models[0].ModelId));
        Assert.Contains("503", away.Problem, StringComparison.Ordinal);
        Assert.Equal((SelectionSource.Api, null), (back.Source, back.Problem));
    }

    [Theory]
    [InlineData(HttpStatusCode.InternalServerError)]
    [InlineData(HttpStatusCode.TooManyRequests)]
    [InlineData((HttpStatusCode)0)]
    public async Task An_API_that_has_never_answered_leaves_the_callers_base_model(HttpStatusCode status)
    {
        using var http = new CountingHandler { Status = status };
        await using var api = await StartAsync(vertex: null);

        var selection = await Client(api, http, World.Manual()).SelectAsync(Guid.NewGuid(), Stop);

        Assert.Equal(SelectionSource.BaseModel, selection.Source);
        Assert.Equal(Known.Model, Assert.Single(selection.Models).Model);
        Assert.Null(selection.Prompt);
        Assert.NotNull(selection.Problem);
    }

    [Fact]
    public async Task An_answer_that_cannot_be_read_counts_as_none()
    {
        using var http = new CountingHandler { Body = """{"projectId": "00000000-0000-0000-0000-000000000001"}""" };
        await using var api = await StartAsync(vertex: null);

        var selection = await Client(api, http, World.Manual()).SelectAsync(Guid.NewGuid(), Stop);

        Assert.Equal(SelectionSource.BaseModel, selection.Source);
    }

    [Fact]
    public async Task A_refusal_is_an_exception_that_says_what_to_look_at()
    {
        using var http = new CountingHandler();
        await using var api = await StartAsync(vertex: null);

        Assert.Equal(HttpStatusCode.Unauthorized, (await RefusedAsync(People.Anonymous, world.Project)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await RefusedAsync(People.Unknown, world.Project)).Status);
        var missing = await RefusedAsync(People.ProjectMember, world.OtherProject);
        Assert.Equal(HttpStatusCode.NotFound, missing.Status);
        Assert.Contains($"{world.OtherProject}", missing.Message, StringComparison.Ordinal);

        Task<SelectionRefusedException> RefusedAsync(string subject, Guid project) =>
            Assert.ThrowsAsync<SelectionRefusedException>(
                () => Client(api, http, World.Manual(), subject).SelectAsync(project, Stop).AsTask());
    }

    private Task<FunctionHost> StartAsync(Uri? vertex) => world.StartApiAsync(new Dictionary<string, string?>
    {
        ["GoogleCloud:VertexAddress"] = vertex?.ToString(),
    });

    private ModelSelectionClient Client(
        FunctionHost api, CountingHandler http, TimeProvider time, string subject = People.OrganizationAdmin) => new(
            new HttpClient(http, disposeHandler: false) { BaseAddress = new Uri(api.Address, "/api/") },
            _ => Task.FromResult(subject == People.Anonymous ? "none" : world.Issuer.IssueAccessToken(subject)),
            Known, time);

    private Task<Scope> AddScopeAsync() => World.AddScopeAsync(world);

    private static Guid ProjectOf(Scope scope) => scope.ProjectId ?? throw new InvalidOperationException("a general scope");

    /// <summary>Counts requests, and answers in the API's place when it is told to; status 0 breaks the connection.</summary>
    private sealed class CountingHandler() : DelegatingHandler(new SocketsHttpHandler())
    {
        private int _count;

        public int Count => _count;

        public HttpStatusCode? Status { get; set; }

        public string? Body { get; init; }

        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _count);
            return (Status, Body) switch
            {
                (0, _) => throw new HttpRequestException("connection refused"),
                ({ } status, _) => new HttpResponseMessage(status),
                (_, { } body) => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(body) },
                _ => await base.SendAsync(request, cancellationToken),
            };
        }
    }
}
