using System.Net;
using System.Text.Json;

namespace FeedbackLoop.AdminApi.Tests;

/// <summary>A person says that the text of an extraction holds nothing, and takes it back.</summary>
public sealed class ConfirmEmptyTests(ApiWorld world)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_is_confirmed_once_and_taken_back_once()
    {
        var job = await AddJobAsync();

        using var first = await PostAsync(job, """{"reason":"only weather"}""");
        using var second = await PostAsync(job, body: null);
        var (one, two) = (await ReadAsync(first), await ReadAsync(second));

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (first.StatusCode, second.StatusCode));
        Assert.Equal($"{job}", one.GetProperty("jobId").GetString());
        Assert.StartsWith("user:", one.GetProperty("confirmedBy").GetString(), StringComparison.Ordinal);
        Assert.Equal(one.GetRawText(), two.GetRawText());
        Assert.Equal(1, await CountAsync(job));

        using var withdrawn = await DeleteAsync(job);
        using var again = await DeleteAsync(job);

        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.NoContent), (withdrawn.StatusCode, again.StatusCode));
        Assert.Equal(0, await CountAsync(job));
        Assert.Equal(
            $"confirm-empty|only weather|{world.Project} withdraw-empty|{world.Project}",
            await world.Database.ScalarAsync<string>(
                $"""
                select string_agg(concat_ws('|', action, reason, project_id), ' ' order by id)
                from   ml.audit_log where subject = 'extraction {job}' and actor like 'user:%'
                """,
                Cancellation));
    }

    [Fact]
    public async Task Objects_that_nobody_rejected_are_counted_in_the_refusal()
    {
        var job = await AddJobAsync();
        await world.Rows.AddObjectAsync(world.Project, new() { JobId = job });
        await world.Rows.AddObjectAsync(world.Project, new() { JobId = job, IsReviewed = false, Status = "draft" });

        using var response = await PostAsync(job, body: null);

        var problem = await ProblemAssert.IsAsync(response, HttpStatusCode.Conflict, "not-empty");
        Assert.Equal(
            (2, "completed"),
            (problem.GetProperty("objects").GetInt32(), problem.GetProperty("extractionStatus").GetString()));
        Assert.Equal(0, await CountAsync(job));
    }

    [Fact]
    public async Task An_extraction_that_is_not_completed_is_refused()
    {
        var job = await AddJobAsync();
        await world.ArrangeAsync($"update kb.object_extraction_jobs set status = 'queued' where id = '{job}'");

        using var response = await PostAsync(job, body: null);

        var problem = await ProblemAssert.IsAsync(response, HttpStatusCode.Conflict, "not-empty");
        Assert.Equal("queued", problem.GetProperty("extractionStatus").GetString());
    }

    [Theory]
    [InlineData("""{"reason":" "}""")]
    [InlineData("""{"reason":"a","other":1}""")]
    public async Task A_body_that_says_something_else_is_refused(string body)
    {
        var job = await AddJobAsync();

        using var response = await PostAsync(job, body);

        await ProblemAssert.IsAsync(response, HttpStatusCode.BadRequest, "invalid-request");
        Assert.Equal(0, await CountAsync(job));
    }

    private async Task<Guid> AddJobAsync() => await world.Rows.AddJobAsync(
        world.Project,
        await world.Rows.AddChunkAsync(await world.Rows.AddDocumentAsync(world.Project), "It rained all day."));

    private Task<HttpResponseMessage> PostAsync(Guid job, string? body) =>
        world.SendAsync("POST", $"/extraction-jobs/{job}/confirmed-empty", People.ProjectAdmin, body);

    private Task<HttpResponseMessage> DeleteAsync(Guid job) =>
        world.SendAsync("DELETE", $"/extraction-jobs/{job}/confirmed-empty", People.ProjectAdmin);

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage response) =>
        JsonElement.Parse(await response.Content.ReadAsStringAsync(Cancellation));

    private Task<long> CountAsync(Guid job) => world.Database.ScalarAsync<long>(
        $"select count(*) from ml.confirmed_empty where job_id = '{job}' and project_id = '{world.Project}'", Cancellation);
}
