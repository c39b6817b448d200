using System.Net;
using System.Text.Json;
using FeedbackLoop.Local;
using FeedbackLoop.Runs;

namespace FeedbackLoop.AdminApi.Tests;

/// <summary>A training that waits for a person, and more trainings than a day may have.</summary>
public sealed class ApprovalTests(ApiWorld world)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_waits_says_for_what_sum_why_and_until_when()
    {
        var (run, _) = await AddWaitingAsync();

        var shown = (await ReadAsync(run)).GetProperty("run");

        Assert.Equal(("awaiting_approval", "a reason"), (shown.GetProperty("state").GetString(), shown.GetProperty("reason").GetString()));
        var approval = shown.GetProperty("approval");
        Assert.Equal(81.32m, approval.GetProperty("askedUsd").GetDecimal());
        Assert.InRange(
            approval.GetProperty("until").GetDateTimeOffset() - TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(1),
            TimeSpan.FromHours(1));
        Assert.Equal(JsonValueKind.Null, approval.GetProperty("approvedUsd").ValueKind);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("{}")]
    [InlineData("""{"estimatedUsd":81.32,"reason":"the new corpus"}""")]
    public async Task An_approval_lets_it_go_on_and_stands_in_the_audit_log(string? body)
    {
        var (run, _) = await AddWaitingAsync();

        using var response = await ApproveAsync(run, body);
        using var again = await ApproveAsync(run, body);

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        Assert.Equal($"/api/fine-tuning/runs/{run}", response.Headers.Location?.ToString());
        await ProblemAssert.IsAsync(again, HttpStatusCode.Conflict, "nothing-to-approve");
        var shown = (await ReadAsync(run)).GetProperty("run");
        Assert.Equal("exported", shown.GetProperty("state").GetString());
        var approval = shown.GetProperty("approval");
        Assert.Equal(
            (81.32m, JsonValueKind.Null),
            (approval.GetProperty("approvedUsd").GetDecimal(), approval.GetProperty("askedUsd").ValueKind));
        var isExplained = body?.Contains("corpus", StringComparison.Ordinal) is true;
        Assert.Equal(
            $"user approve-training 81.32 USD{(isExplained ? ": the new corpus" : "")} user dataset-exported",
            await world.Database.ScalarAsync<string>(
                $"""
                select concat_ws(' ', split_part(a.actor, ':', 1), a.action, a.reason, split_part(r.approved_by, ':', 1), o.topic)
                from   ml.training_runs r
                join   ml.audit_log a on a.subject = 'run ' || r.id
                join   ml.outbox o on o.run_id = r.id
                where  r.id = '{run}'
                """,
                Cancellation));
        Assert.Contains(world.Published.Messages, sent => sent.Payload.Contains($"{run}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Another_sum_than_the_one_that_was_seen_is_not_approved()
    {
        var (run, _) = await AddWaitingAsync();

        using var response = await ApproveAsync(run, """{"estimatedUsd":8.13}""");

        var problem = await ProblemAssert.IsAsync(response, HttpStatusCode.Conflict, "nothing-to-approve");
        Assert.Equal(
            ("The training is estimated at 81.32 USD by now, not at 8.13 USD. Look at the run again.", 81.32m),
            (problem.GetProperty("detail").GetString(), problem.GetProperty("estimatedUsd").GetDecimal()));
        Assert.Equal("awaiting_approval", (await ReadAsync(run)).GetProperty("run").GetProperty("state").GetString());
    }

    [Fact]
    public async Task What_waits_for_nobody_is_not_approved()
    {
        var run = await world.AddRunAsync(
            new Scope(world.Organization, await AddProjectAsync()), RunPurpose.Training, RunState.Tuning);

        using var response = await ApproveAsync(run, null);

        var problem = await ProblemAssert.IsAsync(response, HttpStatusCode.Conflict, "nothing-to-approve");
        Assert.Equal("The run is tuning.", problem.GetProperty("detail").GetString());
    }

    [Theory]
    [InlineData("""{"reason":""}""")]
    [InlineData("""{"usd":81.32}""")]
    [InlineData("""{"estimatedUsd":"81.32"}""")]
    public async Task An_approval_that_cannot_be_read_approves_nothing(string body)
    {
        var (run, _) = await AddWaitingAsync();

        using var response = await ApproveAsync(run, body);

        await ProblemAssert.IsAsync(response, HttpStatusCode.BadRequest, "invalid-request");
        Assert.Equal("awaiting_approval", (await ReadAsync(run)).GetProperty("run").GetProperty("state").GetString());
    }

    [Fact]
    public async Task The_eleventh_training_of_a_day_is_refused_with_the_figures()
    {
        await using var api = await world.StartApiAsync(new Dictionary<string, string?> { ["Spending:RunsPerDay"] = "10" });
        var project = await AddProjectAsync();
        var scope = new Scope(world.Organization, project);
        for (var i = 0; i < 9; i++)
        {
            await world.AddRunAsync(scope, RunPurpose.Training, RunState.Cancelled);
        }

        await world.AddRunAsync(scope, RunPurpose.Export, RunState.Cancelled);
        using var tenth = await TrainAsync(api, project);
        await ProblemAssert.IsAsync(tenth, HttpStatusCode.UnprocessableEntity, "too-little-data");

        await world.AddRunAsync(scope, RunPurpose.Training, RunState.Failed);
        using var eleventh = await TrainAsync(api, project);

        var problem = await ProblemAssert.IsAsync(eleventh, HttpStatusCode.TooManyRequests, "runs-per-day");
        Assert.Equal((10, 10), (problem.GetProperty("runs").GetInt32(), problem.GetProperty("limit").GetInt32()));
        Assert.InRange(int.Parse(
            eleventh.Headers.GetValues("Retry-After").Single(), System.Globalization.CultureInfo.InvariantCulture), 86_000, 86_400);
        Assert.StartsWith(
            "10 trainings have begun within 24 hours, and 10 may; the next one may begin at ",
            problem.GetProperty("detail").GetString(), StringComparison.Ordinal);

        await world.Database.ExecuteAsync(
            $"update ml.training_runs set created_at = created_at - interval '25 hours' where project_id = '{project}'", Cancellation);
        using var nextDay = await TrainAsync(api, project);
        await ProblemAssert.IsAsync(nextDay, HttpStatusCode.UnprocessableEntity, "too-little-data");
    }

    private async Task<(Guid Run, Scope Scope)> AddWaitingAsync()
    {
        var scope = new Scope(world.Organization, await AddProjectAsync());
        return (await world.AddRunAsync(scope, RunPurpose.Training, RunState.AwaitingApproval), scope);
    }

    private Task<Guid> AddProjectAsync() => world.Rows.AddProjectAsync(world.Organization);

    private Task<HttpResponseMessage> ApproveAsync(Guid run, string? body) =>
        world.SendAsync("POST", $"/fine-tuning/runs/{run}/approve", People.OrganizationAdmin, body);

    private Task<HttpResponseMessage> TrainAsync(FunctionHost api, Guid project) => world.SendAsync(
        api, "POST", "/fine-tuning/train-project", People.OrganizationAdmin, $$"""{"projectId":"{{project}}"}""");

    private async Task<JsonElement> ReadAsync(Guid run)
    {
        using var response = await world.SendAsync("GET", $"/fine-tuning/runs/{run}", People.OrganizationAdmin);
        return JsonElement.Parse(await response.Content.ReadAsStringAsync(Cancellation));
    }
}
