using System.Net;
using FeedbackLoop.Runs;

namespace FeedbackLoop.AdminApi.Tests;

/// <summary>Limits, headers, trouble behind the API, and what must never be written down.</summary>
[Collection("One causes errors, one finds none in the log that all share")]
public sealed class AbuseTests(ApiWorld world)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Starts_are_limited_per_person_and_reading_is_not()
    {
        await using var api = await world.StartApiAsync(
            new Dictionary<string, string?> { ["AdminApi:StartsPerMinute"] = "2" });
        var body = $$"""{"projectId":"{{Guid.NewGuid()}}"}""";

        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 3; i++)
        {
            using var response = await world.SendAsync(
                api, "POST", "/fine-tuning/train-project", People.ProjectAdmin, body);
            statuses.Add(response.StatusCode);
        }

        using var refused = await world.SendAsync(api, "POST", "/training-export/export", People.ProjectAdmin, body);
        using var read = await world.SendAsync(api, "GET", "/me", People.ProjectAdmin);
        using var other = await world.SendAsync(api, "POST", "/fine-tuning/train-project", People.Outsider, body);

        Assert.Equal([HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.TooManyRequests], statuses);
        await ProblemAssert.IsAsync(refused, HttpStatusCode.TooManyRequests, "rate-limit");
        Assert.InRange(refused.Headers.RetryAfter?.Delta ?? TimeSpan.Zero, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.NotFound), (read.StatusCode, other.StatusCode));
    }

    [Theory]
    [InlineData("GET", "/me", People.OrganizationAdmin)]
    [InlineData("GET", "/me", People.Anonymous)]
    [InlineData("GET", "/nothing", People.Anonymous)]
    [InlineData("GET", "/healthz", People.Anonymous)]
    [InlineData("DELETE", "/fine-tuning/runs", People.OrganizationAdmin)]
    [InlineData("POST", "/fine-tuning/train-general", People.OrganizationAdmin)]
    public async Task Every_answer_has_the_security_headers(string method, string path, string person)
    {
        using var response = await world.SendAsync(method, path, person);

        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
        Assert.Contains("frame-ancestors 'none'", Assert.Single(response.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        Assert.StartsWith("max-age=31536000", Assert.Single(response.Headers.GetValues("Strict-Transport-Security")), StringComparison.Ordinal);
        Assert.True(response.Headers.CacheControl?.NoStore);
        Assert.Equal("no-referrer", Assert.Single(response.Headers.GetValues("Referrer-Policy")));
    }

    [Fact]
    public async Task A_database_that_is_away_is_503_and_told_without_its_address()
    {
        await using var api = await world.StartApiAsync(
            new Dictionary<string, string?> { ["Database:ConnectionString"] = "Host=127.0.0.1;Port=1;Database=secret;Username=u;Timeout=2" });

        using var answer = await world.SendAsync(api, "GET", "/me", People.OrganizationAdmin);
        using var ready = await world.SendAsync(api, "GET", "/readyz", People.Anonymous);
        using var alive = await world.SendAsync(api, "GET", "/healthz", People.Anonymous);

        await ProblemAssert.IsAsync(answer, HttpStatusCode.ServiceUnavailable, "unavailable");
        await ProblemAssert.IsAsync(ready, HttpStatusCode.ServiceUnavailable, "unavailable");
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
        Assert.DoesNotContain("127.0.0.1", await answer.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_topic_that_is_away_does_not_refuse_the_work()
    {
        var project = await world.Rows.AddProjectAsync(world.Organization);
        world.Published.FailNext(1);

        using var response = await world.SendAsync(
            "POST", "/training-export/export", People.OrganizationAdmin, $$"""{"projectId":"{{project}}"}""");

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        Assert.Equal(
            1, await world.Database.ScalarAsync<int>(
                $"select count(*)::int from ml.outbox o join ml.training_runs r on r.id = o.run_id where r.project_id = '{project}'", Cancellation));
    }

    [Fact]
    public async Task Neither_texts_nor_tokens_nor_names_of_objects_are_logged()
    {
        const string secret = "Ledger-of-the-secret-text";
        var project = await world.Rows.AddProjectAsync(world.Organization);
        await world.Rows.AddObjectAsync(project, new() { Name = secret });
        var export = await world.AddExportAsync(
            new Scope(world.Organization, project), System.Text.Encoding.UTF8.GetBytes($"{{\"text\":\"{secret}\"}}\n"));

        using var statistics = await world.SendAsync("GET", $"/training-export/stats/{project}", People.OrganizationAdmin);
        using var file = await world.SendAsync(
            "GET", $"/training-export/exports/{export}/download/train.jsonl", People.OrganizationAdmin);

        Assert.Contains(secret, await file.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        Assert.Contains(world.Logs.Lines, line => line.Contains(export.ToString(), StringComparison.Ordinal));
        Assert.DoesNotContain(world.Logs.Lines, line => line.Contains(secret, StringComparison.Ordinal));
        Assert.DoesNotContain(world.Logs.Lines, line => line.Contains("eyJ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_role_that_is_taken_away_is_gone_with_the_next_request()
    {
        var project = await world.Rows.AddProjectAsync(world.OtherOrganization);
        var subject = await AddPersonAsync(project);
        using var before = await world.SendAsync("GET", $"/model-selection/{project}", subject);

        await world.Database.ExecuteAsync($"delete from kb.project_memberships where project_id = '{project}'", Cancellation);
        using var after = await world.SendAsync("GET", $"/model-selection/{project}", subject);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.NotFound), (before.StatusCode, after.StatusCode));
    }

    private async Task<string> AddPersonAsync(Guid project)
    {
        var subject = $"person-{Guid.NewGuid()}";
        await world.Database.ExecuteAsync(
            $"""
            with person as (
                insert into core.user_profiles (zitadel_user_id, display_name) values ('{subject}', 'Somebody') returning id)
            insert into kb.project_memberships (project_id, user_id, role)
            select '{project}', id, 'project_viewer' from person
            """,
            Cancellation);
        return subject;
    }
}
