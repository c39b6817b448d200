using System.Net;
using System.Text.Json;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;

namespace FeedbackLoop.AdminApi.Tests;

/// <summary>The figures of extractions over HTTP; what they are is tested in <c>tests/Metrics.Tests</c>.</summary>
public sealed class MetricsTests(ApiWorld world)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_extracted_is_zeros_and_nulls()
    {
        var organization = await world.Rows.AddOrganizationAsync();
        var project = await world.Rows.AddProjectAsync(organization);
        await JoinAsync(organization, People.OrganizationAdmin);

        foreach (var query in (string[])[$"projectId={project}", $"organizationId={organization}"])
        {
            var metrics = await GetAsync(query, People.OrganizationAdmin);

            Assert.Equal("day", metrics.GetProperty("bucket").GetString());
            Assert.Equal(
                ["project", "general", "base"],
                metrics.GetProperty("tiers").EnumerateArray().Select(tier => tier.GetProperty("tier").GetString()));
            var total = metrics.GetProperty("total");
            Assert.Equal(0, total.GetProperty("extractions").GetInt32());
            Assert.Equal(30, total.GetProperty("overTime").GetArrayLength());
            Assert.Equal(
                """{"count":0,"of":0,"rate":null,"low":null,"high":null}""", total.GetProperty("accuracy").GetRawText());
            Assert.Empty(metrics.GetProperty("models").EnumerateArray());
        }
    }

    [Fact]
    public async Task A_review_that_was_saved_a_moment_ago_is_in_the_figures()
    {
        var (scope, _) = await AddExtractionsAsync();

        var before = await GetAsync($"projectId={scope.ProjectId}", People.OrganizationAdmin);
        await world.Database.ExecuteAsync(
            $"update kb.graph_objects set reviewed_by = gen_random_uuid(), status = 'accepted' where project_id = '{scope.ProjectId}'",
            Cancellation);
        var after = await GetAsync($"projectId={scope.ProjectId}", People.OrganizationAdmin);

        Assert.Equal(JsonValueKind.Null, Accuracy(before).GetProperty("rate").ValueKind);
        Assert.Equal(
            (1, 1, 1.0, 0.2065),
            (Accuracy(after).GetProperty("count").GetInt32(), Accuracy(after).GetProperty("of").GetInt32(),
                Accuracy(after).GetProperty("rate").GetDouble(), Math.Round(Accuracy(after).GetProperty("low").GetDouble(), 4)));
        Assert.Equal("too_few_reviews", after.GetProperty("tunedAgainstBase").GetProperty("verdict").GetString());

        // 1,000 tokens in and 100 out of a tuned model, by the prices of appsettings.json.
        Assert.Equal(0.0006m, after.GetProperty("total").GetProperty("costUsd").GetDecimal());
    }

    [Fact]
    public async Task A_member_of_the_organization_sees_its_sums_and_no_model_of_a_project_of_others()
    {
        var (scope, model) = await AddExtractionsAsync();
        await JoinAsync(scope.OrganizationId, People.OrganizationMember, "org_viewer");

        var admin = await GetAsync($"organizationId={scope.OrganizationId}", People.OrganizationAdmin);
        var member = await GetAsync($"organizationId={scope.OrganizationId}", People.OrganizationMember);

        Assert.Equal(model, Assert.Single(admin.GetProperty("models").EnumerateArray()).GetProperty("modelId").GetGuid());
        Assert.Equal(1, member.GetProperty("total").GetProperty("extractions").GetInt32());
        Assert.Empty(member.GetProperty("models").EnumerateArray());
        Assert.Equal(1, member.GetProperty("modelsLeftOut").GetInt32());
        Assert.DoesNotContain(scope.ProjectId!.Value.ToString(), member.GetRawText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "organizationId", "organizationId or projectId must be given")]
    [InlineData("projectId={p}&organizationId={o}", "projectId", "projectId cannot be combined with organizationId")]
    [InlineData("projectId={p}&from=yesterday", "from", "from must be a date such as 20..-..-.., and is 'yesterday'")]
    [InlineData("projectId={p}&to=2999-01-01", "to", "to must be from 2020-01-01 to 20..-..-.., which is today in UTC, and is 2999-01-01")]
    [InlineData(
        "projectId={p}&from=2025-01-01&to=2026-01-02", "from",
        "from must be one of the 366 days up to 2026-01-02, and is 2025-01-01, 367 days up to it")]
    [InlineData("projectId={p}&from=2026-01-03&to=2026-01-02", "from", "from must not be after the last day, 2026-01-02, and is 2026-01-03")]
    [InlineData("projectId=7", "request", ".*projectId.*")]
    public async Task A_wrong_parameter_is_named_with_its_limit_and_its_value(string query, string field, string words)
    {
        var filled = query.Replace("{p}", $"{world.Project}", StringComparison.Ordinal)
            .Replace("{o}", $"{world.Organization}", StringComparison.Ordinal);

        using var response = await world.SendAsync("GET", $"/metrics/extraction?{filled}", People.OrganizationAdmin);

        var problem = await ProblemAssert.IsAsync(response, HttpStatusCode.BadRequest, "invalid-request");
        var error = Assert.Single(problem.GetProperty("errors").EnumerateObject());
        Assert.Equal(field, error.Name);
        Assert.Matches($"^{words}", Assert.Single(error.Value.EnumerateArray()).GetString());
    }

    private static JsonElement Accuracy(JsonElement metrics) => metrics.GetProperty("total").GetProperty("accuracy");

    private async Task<JsonElement> GetAsync(string query, string person)
    {
        using var response = await world.SendAsync("GET", $"/metrics/extraction?{query}", person);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        return JsonElement.Parse(text);
    }

    /// <summary>An organization with one extraction of one object, by the model of its project.</summary>
    private async Task<(Scope Scope, Guid Model)> AddExtractionsAsync()
    {
        var organization = await world.Rows.AddOrganizationAsync();
        var scope = new Scope(organization, await world.Rows.AddProjectAsync(organization));
        await JoinAsync(organization, People.OrganizationAdmin);
        var model = await world.AddModelAsync(scope, ModelStatus.Ready);
        var job = await world.Rows.AddJobAsync(scope.ProjectId.GetValueOrDefault());
        await world.Database.ExecuteAsync(
            $"""
            insert into ml.extraction_results (
                id, organization_id, project_id, job_id, chosen_tier, chosen_model_id, chosen_reason, answered_tier,
                answered_model_id, answered_version, base_model, prompt_hash, latency_ms, input_tokens, output_tokens, is_valid,
                entity_count, needs_review_count, created_at)
            values (gen_random_uuid(), '{organization}', '{scope.ProjectId}', '{job}', 'project', '{model}', 'a reason', 'project',
                    '{model}', 1, 'gemini-3.1-flash-lite', repeat('a', 64), 900, 1000, 100, true, 1, 1, now())
            """,
            Cancellation);
        await world.Rows.AddObjectAsync(
            scope.ProjectId.GetValueOrDefault(),
            new() { JobId = job, IsReviewed = false, Status = "draft", Actor = "agent" });
        return (scope, model);
    }

    private Task JoinAsync(Guid organization, string person, string role = "org_admin") => world.Database.ExecuteAsync(
        $"""
        insert into kb.organization_memberships (organization_id, user_id, role)
        select '{organization}', id, '{role}' from core.user_profiles where zitadel_user_id = '{person}'
        """,
        Cancellation);
}
