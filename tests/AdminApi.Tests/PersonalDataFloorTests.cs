using System.Net;
using System.Text.Json;

namespace FeedbackLoop.AdminApi.Tests;

/// <summary>The least that an organization has done about personal data: who sets it, and what it refuses.</summary>
public sealed class PersonalDataFloorTests(ApiWorld world)
{
    private const string Allow = """{"pii":"allow"}""";
    private const string ByDefault =
        "export.pii must be exclude or redact, because the organization's floor for personal data is redact, and is allow";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/fine-tuning/train-project")]
    [InlineData("/fine-tuning/preflight")]
    [InlineData("/training-export/export")]
    [InlineData("/training-export/preflight")]
    public async Task A_project_admin_cannot_switch_the_rule_off(string path)
    {
        using var response = await world.SendAsync(
            "POST", path, People.ProjectAdmin, $$"""{"projectId":"{{world.Project}}","export":{{Allow}} }""");

        await AssertRefusedAsync(response, ByDefault);
        Assert.Equal(0, await CountRunsAsync(world.Project));
    }

    [Fact]
    public async Task Nor_an_organization_admin_but_by_setting_the_floor_which_is_audited()
    {
        var organization = await world.AddOrganizationAsync();
        using var before = await ExportAsync(organization, Allow);
        await AssertRefusedAsync(before, ByDefault);

        using var saved = await SetFloorAsync(organization, "\"allow\"");
        using var after = await ExportAsync(organization, Allow);

        Assert.Equal(HttpStatusCode.OK, saved.StatusCode);
        Assert.Equal("allow", (await ReadAsync(saved)).GetProperty("settings").GetProperty("piiFloor").GetString());
        Assert.Equal(HttpStatusCode.Accepted, after.StatusCode);
        Assert.Equal(
            "change-schedule Allow | start-export Allow",
            await world.Database.ScalarAsync<string>(
                $"""
                select string_agg(
                           action || ' ' || coalesce(parameters->>'piiFloor', parameters->'export'->>'pii'), ' | ' order by id)
                from   ml.audit_log
                where  organization_id = '{organization}'
                """,
                Cancellation));
    }

    [Fact]
    public async Task A_stricter_floor_binds_the_projects_of_the_organization()
    {
        var organization = await world.AddOrganizationAsync();
        var project = await world.Rows.AddProjectAsync(organization);
        using var saved = await SetFloorAsync(organization, "\"exclude\"");

        using var redacted = await world.SendAsync(
            "POST", "/training-export/export", People.OrganizationAdmin, $$"""{"projectId":"{{project}}","export":{"pii":"redact"} }""");
        using var excluded = await world.SendAsync(
            "POST", "/training-export/export", People.OrganizationAdmin, $$"""{"projectId":"{{project}}"}""");

        await AssertRefusedAsync(
            redacted, "export.pii must be exclude, because the organization's floor for personal data is exclude, and is redact");
        Assert.Equal(HttpStatusCode.Accepted, excluded.StatusCode);
    }

    [Theory]
    [InlineData(People.ProjectAdmin, HttpStatusCode.NotFound)]
    [InlineData(People.OrganizationMember, HttpStatusCode.Forbidden)]
    [InlineData(People.Outsider, HttpStatusCode.NotFound)]
    public async Task Only_an_admin_of_the_organization_sets_it(string person, HttpStatusCode answer)
    {
        using var response = await world.SendAsync(
            "PUT", $"/organizations/{world.Organization}/training/schedule", person, """{"piiFloor":"allow"}""", ("If-Match", "\"0\""));

        Assert.Equal(answer, response.StatusCode);
    }

    [Fact]
    public async Task A_project_has_none()
    {
        using var response = await world.SendAsync(
            "PUT", $"/projects/{world.Project}/training/schedule", People.ProjectAdmin, """{"piiFloor":"allow"}""", ("If-Match", "\"0\""));

        var problem = await ProblemAssert.IsAsync(response, HttpStatusCode.BadRequest, "invalid-request");
        Assert.Equal(
            "piiFloor must be null for a project, because it is an organization's, and is allow",
            problem.GetProperty("errors").GetProperty("piiFloor")[0].GetString());
    }

    [Fact]
    public async Task What_was_accepted_is_answered_again_under_its_key_whatever_the_floor_is_by_now()
    {
        var organization = await world.AddOrganizationAsync();
        using var first = await ExportAsync(organization, """{"pii":"redact"}""", "the-first");
        using var saved = await SetFloorAsync(organization, "\"exclude\"");

        using var again = await ExportAsync(organization, """{"pii":"redact"}""", "the-first");
        using var another = await ExportAsync(organization, """{"pii":"redact"}""", "another");

        Assert.Equal((HttpStatusCode.Accepted, HttpStatusCode.Accepted), (first.StatusCode, again.StatusCode));
        Assert.Equal((await ReadAsync(first)).GetProperty("id").GetGuid(), (await ReadAsync(again)).GetProperty("id").GetGuid());
        Assert.Equal(HttpStatusCode.BadRequest, another.StatusCode);
    }

    private Task<HttpResponseMessage> SetFloorAsync(Guid organization, string floor) => world.SendAsync(
        "PUT", $"/organizations/{organization}/training/schedule", People.OrganizationAdmin, $$"""{"piiFloor":{{floor}} }""",
        ("If-Match", "\"0\""));

    private Task<HttpResponseMessage> ExportAsync(Guid organization, string export, string? key = null) => world.SendAsync(
        "POST", "/training-export/export", People.OrganizationAdmin,
        $$"""{"organizationId":"{{organization}}","export":{{export}} }""", key is null ? [] : [("Idempotency-Key", key)]);

    private Task<long> CountRunsAsync(Guid project) => world.Database.ScalarAsync<long>(
        $"select count(*) from ml.training_runs where project_id = '{project}' and parameters->'export'->>'pii' = 'Allow'",
        Cancellation);

    private static async Task AssertRefusedAsync(HttpResponseMessage response, string words)
    {
        var problem = await ProblemAssert.IsAsync(response, HttpStatusCode.BadRequest, "invalid-request");
        Assert.Equal(words, problem.GetProperty("errors").GetProperty("export.pii")[0].GetString());
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage response) =>
        JsonElement.Parse(await response.Content.ReadAsStringAsync(Cancellation));
}
