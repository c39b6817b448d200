using System.Net;
using System.Text.Json;
using FeedbackLoop.Runs;

namespace FeedbackLoop.AdminApi.Tests;

/// <summary>Schedules: read, saved on top of a version, and what their settings may not be.</summary>
public sealed class ScheduleTests(ApiWorld world)
{
    private const string Weekly =
        """{"enabled":true,"cronEnabled":true,"cronExpression":"30 2 * * 6","timeZone":"Asia/Kathmandu"}""";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_schedule_that_nobody_has_set_is_off_and_has_version_0()
    {
        var scope = await AddScopeAsync();

        using var response = await world.SendAsync("GET", PathOf(scope), People.OrganizationAdmin);

        var schedule = await OkAsync(response);
        Assert.Equal("\"0\"", response.Headers.ETag?.ToString());
        Assert.Equal(0, schedule.GetProperty("version").GetInt32());
        Assert.False(schedule.GetProperty("settings").GetProperty("enabled").GetBoolean());
        Assert.Equal(0.85, schedule.GetProperty("settings").GetProperty("parameters").GetProperty("minConfidence").GetDouble());
        Assert.Empty(schedule.GetProperty("nextTimes").EnumerateArray());
        Assert.Equal(50, schedule.GetProperty("estimate").GetProperty("minimum").GetInt32());
        Assert.Equal(JsonValueKind.Null, schedule.GetProperty("lastDecision").ValueKind);
    }

    [Fact]
    public async Task What_was_saved_is_read_and_can_be_saved_again_as_it_is()
    {
        var scope = await AddScopeAsync();

        using var saved = await SaveAsync(scope, "\"0\"", Weekly);
        using var read = await world.SendAsync("GET", PathOf(scope), People.OrganizationAdmin);
        var schedule = await OkAsync(read);
        using var again = await SaveAsync(scope, "\"1\"", schedule.GetProperty("settings").GetRawText());

        Assert.Equal(("\"1\"", "\"1\"", "\"2\""), (Tag(saved), Tag(read), Tag(again)));
        Assert.Equal(
            schedule.GetProperty("settings").GetRawText(), (await OkAsync(again)).GetProperty("settings").GetRawText());
        var times = schedule.GetProperty("nextTimes").EnumerateArray().Select(time => time.GetDateTimeOffset()).ToList();
        Assert.Equal(5, times.Count);
        Assert.All(times, time => Assert.Equal(
            (DayOfWeek.Saturday, new TimeSpan(2, 30, 0), new TimeSpan(5, 45, 0)), (time.DayOfWeek, time.TimeOfDay, time.Offset)));
        Assert.All(times.Zip(times.Skip(1)), pair => Assert.Equal(TimeSpan.FromDays(7), pair.Second - pair.First));
        Assert.Equal(2L, await world.Database.ScalarAsync<long>(
            $"select count(*) from ml.audit_log where action = 'change-schedule' and project_id = '{scope.ProjectId}'",
            Cancellation));
    }

    [Theory]
    [InlineData("waiting", "2026-06-13T02:30:00+05:45")]
    [InlineData("not_due", null)]
    public async Task A_time_that_has_come_and_waits_is_shown_beside_the_next_ones(string decision, string? waiting)
    {
        var scope = await AddScopeAsync();
        using var saved = await SaveAsync(scope, "\"0\"", Weekly);
        await world.Database.ExecuteAsync(
            $"""
            update ml.training_schedules
            set    next_scheduled_at = '2026-06-12T20:45Z', last_decision = '{decision}', last_decision_reason = 'said by a test',
                   last_decision_at = '2026-06-12T21:00Z'
            where  project_id = '{scope.ProjectId}'
            """,
            Cancellation);

        using var response = await world.SendAsync("GET", PathOf(scope), People.OrganizationAdmin);

        var schedule = await OkAsync(response);
        Assert.Equal(waiting, schedule.GetProperty("waitingSlot").GetString());
        Assert.Equal(5, schedule.GetProperty("nextTimes").GetArrayLength());
    }

    [Fact]
    public async Task Of_ten_who_save_the_same_version_one_wins()
    {
        var scope = await AddScopeAsync();
        foreach (var version in (string[])["\"0\"", "\"1\""])
        {
            var responses = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => SaveAsync(scope, version, Weekly)));

            Assert.Single(responses, response => response.StatusCode == HttpStatusCode.OK);
            Assert.Equal(9, responses.Count(response => response.StatusCode == HttpStatusCode.PreconditionFailed));
        }
    }

    [Fact]
    public async Task A_stale_version_is_refused_with_the_present_one()
    {
        var scope = await AddScopeAsync();
        using var first = await SaveAsync(scope, "\"0\"", Weekly);

        using var stale = await SaveAsync(scope, "\"0\"", """{"enabled":false}""");

        var problem = await ProblemAssert.IsAsync(stale, HttpStatusCode.PreconditionFailed, "schedule-changed");
        Assert.Equal((1, "\"1\""), (problem.GetProperty("version").GetInt32(), Tag(stale)));
    }

    [Fact]
    public async Task A_change_without_its_version_is_refused()
    {
        using var response = await SaveAsync(await AddScopeAsync(), null, Weekly);

        await ProblemAssert.IsAsync(response, HttpStatusCode.PreconditionRequired, "precondition-required");
    }

    [Theory]
    [InlineData("*")]
    [InlineData("1")]
    [InlineData("W/\"1\"")]
    [InlineData("\"1\", \"2\"")]
    [InlineData("\"-1\"")]
    [InlineData("\"99999999999\"")]
    public async Task A_version_that_is_none_is_named(string ifMatch)
    {
        using var response = await SaveAsync(await AddScopeAsync(), ifMatch, Weekly);

        var problem = await ProblemAssert.IsAsync(response, HttpStatusCode.BadRequest, "invalid-request");
        Assert.Equal("If-Match", Assert.Single(problem.GetProperty("errors").EnumerateObject()).Name);
    }

    [Theory]
    [InlineData("cronExpression", """{"cronEnabled":true,"cronExpression":"0 0 30 2 *","timeZone":"UTC"}""")]
    [InlineData("cronExpression", """{"cronEnabled":true,"cronExpression":"0 */5 * * *","timeZone":"UTC"}""")]
    [InlineData("cronExpression", """{"cronEnabled":true,"cronExpression":"every day","timeZone":"UTC"}""")]
    [InlineData("timeZone", """{"cronEnabled":true,"cronExpression":"0 3 * * *","timeZone":"Europe/Atlantis"}""")]
    [InlineData("thresholdCount", """{"thresholdCount":0}""")]
    [InlineData("parameters.epochs", """{"parameters":{"epochs":101}}""")]
    [InlineData("parameters.learningRateMultiplier", """{"parameters":{"learningRateMultiplier":0}}""")]
    [InlineData("parameters.minConfidence", """{"parameters":{"minConfidence":1.01}}""")]
    [InlineData("parameters.minConfidence", """{"parameters":{"minConfidence":0.855}}""")]
    [InlineData("monthlyLimitUsd", """{"monthlyLimitUsd":50}""")]
    [InlineData("noMonthlyLimit", """{"noMonthlyLimit":true}""")]
    [InlineData("retrainProjects", """{"retrainProjects":true}""")]
    public async Task A_setting_that_cannot_be_is_named(string field, string body)
    {
        var scope = await AddScopeAsync();

        using var response = await SaveAsync(scope, "\"0\"", body);

        var problem = await ProblemAssert.IsAsync(response, HttpStatusCode.BadRequest, "invalid-request");
        var error = Assert.Single(problem.GetProperty("errors").EnumerateObject());
        Assert.Equal(field, error.Name);
        Assert.StartsWith(field, error.Value[0].GetString(), StringComparison.Ordinal);
        using var after = await world.SendAsync("GET", PathOf(scope), People.OrganizationAdmin);
        Assert.Equal("\"0\"", Tag(after));
    }

    [Theory]
    [InlineData("""{"enabled":true,"colour":"red"}""")]
    [InlineData("""{"enabled":1}""")]
    [InlineData("""{"enabled":null}""")]
    [InlineData("""{"enabled":true,"enabled":false}""")]
    [InlineData("""{"parameters":{"minconfidence":0.9}}""")]
    [InlineData("""{"thresholdCount":99999999999}""")]
    [InlineData("[]")]
    public async Task What_is_no_schedule_is_refused(string body)
    {
        using var response = await SaveAsync(await AddScopeAsync(), "\"0\"", body);

        await ProblemAssert.IsAsync(response, HttpStatusCode.BadRequest, "invalid-request");
    }

    [Fact]
    public async Task A_limit_that_is_used_up_holds_the_organizations_trainings()
    {
        var organization = await world.AddOrganizationAsync();
        var project = await world.Rows.AddProjectAsync(organization);
        var path = $"/organizations/{organization}/training/schedule";

        using var saved = await world.SendAsync(
            "PUT", path, People.OrganizationAdmin, """{"monthlyLimitUsd":0}""", ("If-Match", "\"0\""));

        var schedule = await OkAsync(saved);
        Assert.Equal(0, schedule.GetProperty("spending").GetProperty("limitUsd").GetDecimal());
        Assert.StartsWith(
            "the organization's monthly limit of 0.00 USD is used up", schedule.GetProperty("hold").GetString(),
            StringComparison.Ordinal);
        using var start = await world.SendAsync(
            "POST", "/fine-tuning/train-project", People.OrganizationAdmin, $$"""{"projectId":"{{project}}"}""");
        var problem = await ProblemAssert.IsAsync(start, HttpStatusCode.UnprocessableEntity, "spending");
        Assert.Contains("0.00 USD", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_organization_has_the_default_limit_and_no_limit_is_said()
    {
        var path = $"/organizations/{await world.AddOrganizationAsync()}/training/schedule";

        using var fresh = await world.SendAsync("GET", path, People.OrganizationAdmin);
        using var none = await world.SendAsync(
            "PUT", path, People.OrganizationAdmin, """{"noMonthlyLimit":true}""", ("If-Match", "\"0\""));
        using var both = await world.SendAsync(
            "PUT", path, People.OrganizationAdmin, """{"noMonthlyLimit":true,"monthlyLimitUsd":5}""", ("If-Match", "\"1\""));

        var spending = (await OkAsync(fresh)).GetProperty("spending");
        Assert.Equal(
            (100m, true), (spending.GetProperty("limitUsd").GetDecimal(), spending.GetProperty("isDefaultLimit").GetBoolean()));
        spending = (await OkAsync(none)).GetProperty("spending");
        Assert.Equal(JsonValueKind.Null, spending.GetProperty("limitUsd").ValueKind);
        Assert.False(spending.GetProperty("isDefaultLimit").GetBoolean());
        await ProblemAssert.IsAsync(both, HttpStatusCode.BadRequest, "invalid-request");
    }

    [Fact]
    public async Task The_page_of_an_organization_has_the_three_sums_and_what_nobody_knows()
    {
        var organization = await world.AddOrganizationAsync();
        var project = await world.Rows.AddProjectAsync(organization);
        await world.Database.ExecuteAsync(
            $"""
            insert into ml.extraction_results (
                id, organization_id, project_id, job_id, chosen_tier, chosen_reason, answered_tier, base_model, prompt_hash,
                latency_ms, input_tokens, output_tokens, is_valid, created_at)
            select gen_random_uuid(), '{organization}', '{project}', gen_random_uuid(), 'base', 'r', 'base', m, repeat('a', 64), 1,
                   1000000, 0, true, now()
            from   unnest(array['gemini-3.1-flash-lite', 'gemini-9']) m
            """,
            Cancellation);

        using var response = await world.SendAsync(
            "GET", $"/organizations/{organization}/training/schedule", People.OrganizationAdmin);

        var schedule = await OkAsync(response);
        var spending = schedule.GetProperty("spending");
        Assert.Equal(
            (0.25m, 0m, 0m, 0.25m),
            (spending.GetProperty("committedUsd").GetDecimal(), spending.GetProperty("tuningUsd").GetDecimal(),
                spending.GetProperty("evaluationUsd").GetDecimal(), spending.GetProperty("extractionUsd").GetDecimal()));
        Assert.Equal(
            """[{"kind":"extraction","baseModel":"gemini-9"}]""", spending.GetProperty("unpriced").GetRawText());
        Assert.StartsWith(
            "what answers of gemini-9 have cost in", schedule.GetProperty("hold").GetString(), StringComparison.Ordinal);
    }

    private async Task<Scope> AddScopeAsync() =>
        new(world.Organization, await world.Rows.AddProjectAsync(world.Organization));

    private Task<HttpResponseMessage> SaveAsync(Scope scope, string? ifMatch, string body) => world.SendAsync(
        "PUT", PathOf(scope), People.OrganizationAdmin, body, [.. ifMatch is null ? [] : ((string, string)[])[("If-Match", ifMatch)]]);

    private static string PathOf(Scope scope) => $"/projects/{scope.ProjectId}/training/schedule";

    // As it was sent: the client's own parser would not show what is malformed.
    private static string? Tag(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues("ETag", out var values) ? values.ToString() : null;

    private static async Task<JsonElement> OkAsync(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        return JsonElement.Parse(text);
    }
}
