using System.Text.Json;
using System.Text.RegularExpressions;
using Dapper;
using ExtractionWorker;
using FeedbackLoop.ModelSelection;
using FeedbackLoop.Registry;

namespace FeedbackLoop.AdminApi.Tests.Worker;

/// <summary><c>docs/extraction-worker.md</c>: each of its samples is run.</summary>
public sealed partial class WorkerPageTests(ApiWorld world)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_sample_on_the_page_is_the_class_that_these_tests_run() =>
        Assert.Contains(
            await File.ReadAllTextAsync(
                Path.Combine(Repository.Root, "tests", "AdminApi.Tests", "Worker", "ChunkExtraction.cs"), Stop),
            await ReadPageAsync(), StringComparison.Ordinal);

    [Fact]
    public async Task The_sample_asks_the_next_tier_when_an_endpoint_is_gone()
    {
        var scope = await World.AddScopeAsync(world);
        var project = await world.AddModelAsync(scope, ModelStatus.Ready);
        var general = await world.AddModelAsync(scope with { ProjectId = null }, ModelStatus.Ready);
        await using var vertex = await RestVertex.StartAsync();
        vertex.Gone.Add($"{project}");
        await using var api = await world.StartApiAsync(new Dictionary<string, string?>
        {
            ["GoogleCloud:VertexAddress"] = vertex.Address.ToString(),
        });
        using var apiHttp = new HttpClient { BaseAddress = new Uri(api.Address, "/api/") };
        using var vertexHttp = new HttpClient();
        var known = new ServedModel("base", null, null, "m", null, null, "", "projects/p/m", "http://127.0.0.1:1", "unset");
        var selection = new ModelSelectionClient(
            apiHttp, _ => Task.FromResult(world.Issuer.IssueAccessToken(People.OrganizationAdmin)), known, TimeProvider.System);
        var extraction = new ChunkExtraction(
            selection, new SelectedPrompt("own", "", "", ""), vertexHttp, _ => Task.FromResult("a Google token"));

        var (model, answer) = await extraction.AskAsync(scope.ProjectId!.Value, "Alpha uses Beta.", Stop); // has one

        Assert.Equal(("general", (Guid?)general), (model.Tier, model.ModelId));
        Assert.Equal("STOP", answer["candidates"]?[0]?["finishReason"]?.GetValue<string>());
        Assert.Equal(
            [$"/v1/projects/1/locations/us/endpoints/{project}:generateContent",
                $"/v1/projects/1/locations/us/endpoints/{general}:generateContent"],
            vertex.Requests.Select(request => request.Path));
        using var body = JsonDocument.Parse(vertex.Requests[1].Body);
        var configuration = body.RootElement.GetProperty("generationConfig");
        Assert.False(configuration.TryGetProperty("responseMimeType", out _));
        Assert.Equal("MINIMAL", configuration.GetProperty("thinkingConfig").GetProperty("thinkingLevel").GetString());
        Assert.Contains("You extract entities", vertex.Requests[1].Body, StringComparison.Ordinal);
        Assert.Contains("Alpha uses Beta.", vertex.Requests[1].Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_call_and_its_answer_are_as_the_page_shows_them()
    {
        var scope = await World.AddScopeAsync(world);
        var project = await world.AddModelAsync(scope, ModelStatus.Ready);
        await using var api = await world.StartApiAsync(new Dictionary<string, string?> { ["GoogleCloud:VertexAddress"] = null });
        var values = new Dictionary<string, string>
        {
            ["API"] = new Uri(api.Address, "/api").ToString(),
            ["PROJECT"] = $"{scope.ProjectId}",
            ["MODEL"] = $"{project}",
            ["TOKEN"] = world.Issuer.IssueAccessToken(People.OrganizationAdmin),
        };
        using var http = new HttpClient();

        var example = Assert.Single(CurlExample.ReadAll(await ReadPageAsync()));
        using var request = example.ToRequest(values);
        using var response = await http.SendAsync(request, Stop);
        var answer = await response.Content.ReadAsStringAsync(Stop);

        Assert.True(example.TryMatch(answer, values), answer);
    }

    [Fact]
    public async Task The_statements_on_the_page_record_a_result_that_metrics_find()
    {
        var scope = await World.AddScopeAsync(world);
        var project = await world.AddModelAsync(scope, ModelStatus.Ready);
        var job = await world.Database.ScalarAsync<Guid>(
            $"insert into kb.object_extraction_jobs (project_id) values ('{scope.ProjectId}') returning id", Stop);
        var args = new
        {
            id = Guid.CreateVersion7(),
            organizationId = scope.OrganizationId,
            projectId = scope.ProjectId,
            jobId = job,
            chosenTier = "project",
            chosenModelId = project,
            chosenReason = "the project has a ready model",
            answeredTier = "project",
            answeredModelId = project,
            answeredVersion = 1,
            baseModel = "gemini-3.1-flash-lite",
            endpoint = "projects/1/locations/us-central1/endpoints/1",
            promptHash = new string('a', 64),
            latencyMs = 1200,
            inputTokens = 900,
            outputTokens = 300,
            entityCount = 4,
            relationshipCount = 2,
            objectId = Guid.CreateVersion7(),
            type = "System",
            properties = """{"name": "Alpha", "description": "A system that the text describes."}""",
            confidence = 0.7f,
        };
        await using var db = await world.Database.Database.OpenConnectionAsync(Stop);

        foreach (Match statement in SqlBlock().Matches(await ReadPageAsync()))
        {
            Assert.Equal(1, await db.ExecuteAsync(
                new CommandDefinition(statement.Groups[1].Value, args, cancellationToken: Stop)));
        }

        Assert.Equal(1L, await world.Database.ScalarAsync<long>(
            $"""
            select count(*)
            from   ml.extraction_results r
            join   kb.graph_objects o on o.extraction_job_id = r.job_id and o.needs_review
            where  r.answered_model_id = '{project}'
            """,
            Stop));
    }

    private static Task<string> ReadPageAsync() =>
        File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "extraction-worker.md"), Stop);

    [GeneratedRegex(@"^```sql\n((?:.*\n)+?)```$", RegexOptions.Multiline)]
    private static partial Regex SqlBlock();
}
