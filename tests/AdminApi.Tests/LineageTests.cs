using System.Net;
using System.Text.Json;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;

namespace FeedbackLoop.AdminApi.Tests;

/// <summary>Where a document, a chunk and an object went, as those may see it who may ask.</summary>
public sealed class LineageTests(ApiWorld world)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("documents")]
    [InlineData("chunks")]
    [InlineData("objects")]
    public async Task The_datasets_files_and_models_of_an_example_are_named(string kind)
    {
        var place = await PlaceAsync();
        var model = await AddModelAsync(world.Project, place, "train");

        var answer = await GetAsync($"/lineage/{kind}/{place.Of(kind)}", People.OrganizationAdmin);

        var dataset = Assert.Single(answer.GetProperty("datasets").EnumerateArray());
        Assert.Equal((model, 1), (dataset.GetProperty("runId").GetGuid(), dataset.GetProperty("trainExamples").GetInt32()));
        Assert.EndsWith("/train.jsonl", dataset.GetProperty("trainUri").GetString(), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, dataset.GetProperty("testUri").ValueKind);
        var holder = Assert.Single(answer.GetProperty("models").EnumerateArray());
        Assert.Equal(
            (model, true, false),
            (holder.GetProperty("id").GetGuid(), holder.GetProperty("isDirect").GetBoolean(), holder.GetProperty("isInUse").GetBoolean()));
    }

    [Fact]
    public async Task Held_out_examples_are_in_files_and_in_no_model()
    {
        var place = await PlaceAsync();
        await AddModelAsync(world.Project, place, "test");

        var answer = await GetAsync($"/lineage/documents/{place.Document}", People.ProjectAdmin);

        Assert.Equal(1, answer.GetProperty("datasets")[0].GetProperty("testExamples").GetInt32());
        Assert.Equal(0, answer.GetProperty("modelCount").GetInt32());
    }

    [Fact]
    public async Task What_one_may_not_see_is_a_number()
    {
        var place = await PlaceAsync();
        var general = await AddModelAsync(projectId: null, place, "train");
        var sibling = await AddModelAsync(world.Sibling, place: null, split: null);
        await world.ArrangeAsync($"update ml.fine_tuned_models set parent_model_id = '{general}' where id = '{sibling}'");

        var project = await GetAsync($"/lineage/documents/{place.Document}", People.ProjectAdmin);
        var organization = await GetAsync($"/lineage/documents/{place.Document}", People.OrganizationAdmin);

        Assert.Equal("""{"datasets":1,"models":2,"modelsInUse":0}""", project.GetProperty("elsewhere").GetRawText());
        Assert.Equal(0, project.GetProperty("modelCount").GetInt32());
        Assert.DoesNotContain($"{world.Sibling}", project.GetRawText(), StringComparison.Ordinal);
        Assert.Equal("""{"datasets":0,"models":0,"modelsInUse":0}""", organization.GetProperty("elsewhere").GetRawText());
        Assert.Equal(
            [(general, true), (sibling, false)],
            organization.GetProperty("models").EnumerateArray()
                .Select(model => (model.GetProperty("id").GetGuid(), model.GetProperty("isDirect").GetBoolean()))
                .OrderByDescending(model => model.Item2));
    }

    [Fact]
    public async Task Lists_are_as_long_as_asked_for_and_say_how_many_there_are()
    {
        var place = await PlaceAsync();
        for (var i = 0; i < 3; i++)
        {
            await AddModelAsync(world.Project, place, "train");
        }

        var answer = await GetAsync($"/lineage/documents/{place.Document}?limit=2", People.ProjectAdmin);

        Assert.Equal(
            (2, 3, 2, 3),
            (answer.GetProperty("datasets").GetArrayLength(), answer.GetProperty("datasetCount").GetInt32(),
                answer.GetProperty("models").GetArrayLength(), answer.GetProperty("modelCount").GetInt32()));
        using var tooMany = await world.SendAsync(
            "GET", $"/lineage/documents/{place.Document}?limit=201", People.ProjectAdmin);
        Assert.Equal(HttpStatusCode.BadRequest, tooMany.StatusCode);
    }

    [Fact]
    public async Task A_document_that_the_product_has_deleted_is_found_by_what_holds_it()
    {
        var place = await PlaceAsync();
        await AddModelAsync(world.Project, place, "train");
        await world.Database.ExecuteAsync($"delete from kb.documents where id = '{place.Document}'", Cancellation);

        var answer = await GetAsync($"/lineage/documents/{place.Document}", People.ProjectAdmin);

        Assert.Equal((true, 1), (answer.GetProperty("isDeleted").GetBoolean(), answer.GetProperty("modelCount").GetInt32()));
    }

    [Fact]
    public async Task A_tainted_model_in_use_says_since_when_why_and_what_another_training_would_cost()
    {
        var organization = await world.AddOrganizationAsync();
        var project = await world.Rows.AddProjectAsync(organization);
        var place = await PlaceAsync(project);
        var model = await AddModelAsync(project, place, "train", organization, ModelStatus.Ready);
        await world.Database.ExecuteAsync($"select ml.taint_models(array['{place.Document}'::uuid], 'forgotten')", Cancellation);

        var answer = await GetAsync($"/lineage/documents/{place.Document}", People.OrganizationAdmin);
        var shown = await GetAsync($"/fine-tuning/models/{model}", People.OrganizationAdmin);
        var listed = await GetAsync($"/fine-tuning/models?projectId={project}", People.OrganizationAdmin);

        Assert.Equal(
            "it has learnt from a document that was forgotten",
            shown.GetProperty("model").GetProperty("taint").GetProperty("reason").GetString());
        Assert.Equal(
            answer.GetProperty("models")[0].GetProperty("taintedSince").GetDateTimeOffset(),
            listed.GetProperty("items")[0].GetProperty("taint").GetProperty("since").GetDateTimeOffset());
        var cost = Assert.Single(answer.GetProperty("retraining").EnumerateArray());
        Assert.Equal((project, model), (cost.GetProperty("projectId").GetGuid(), cost.GetProperty("modelId").GetGuid()));
        Assert.InRange(cost.GetProperty("estimatedUsd").GetDecimal(), 0.0001m, 1m);
    }

    private async Task<JsonElement> GetAsync(string path, string person)
    {
        using var response = await world.SendAsync("GET", path, person);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        using var json = JsonDocument.Parse(text);
        return json.RootElement.Clone();
    }

    private async Task<Place> PlaceAsync(Guid? projectId = null)
    {
        var project = projectId ?? world.Project;
        var document = await world.Rows.AddDocumentAsync(project);
        var chunk = await world.Rows.AddChunkAsync(document, "The Ledger books payments.");
        var job = await world.Rows.AddJobAsync(project, chunk);
        return new(document, chunk, job, await world.Rows.AddObjectAsync(project, new() { JobId = job }));
    }

    private async Task<Guid> AddModelAsync(
        Guid? projectId, Place? place, string? split, Guid? organizationId = null, string status = ModelStatus.Deprecated)
    {
        var scope = new Scope(organizationId ?? world.Organization, projectId);
        var model = await world.AddModelAsync(scope, status);
        if (place is not null)
        {
            await world.ArrangeAsync(
                $"""
                update ml.datasets set test_uri = uri || 'test.jsonl', test_examples = 1, test_bytes = 1, test_sha256 = train_sha256
                where  id = '{model}';
                insert into ml.dataset_examples (
                    dataset_id, organization_id, job_id, chunk_id, document_id, split, content_hash)
                values ('{model}', '{scope.OrganizationId}', '{place.Job}', '{place.Chunk}', '{place.Document}', '{split}', sha256('x'))
                """);
        }

        return model;
    }

    private sealed record Place(Guid Document, Guid Chunk, Guid Job, Guid Object)
    {
        public Guid Of(string kind) => kind switch
        {
            "documents" => Document,
            "chunks" => Chunk,
            _ => Object,
        };
    }
}
