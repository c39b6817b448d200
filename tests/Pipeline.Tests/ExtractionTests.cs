using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Pipeline.Tests;

/// <summary>A job of the product, through Pub/Sub, to a model that the chain has tuned.</summary>
public sealed class ExtractionTests(PostgresFixture postgres)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_chunk_is_extracted_by_the_tuned_model_once_however_often_it_is_asked_for()
    {
        await using var chain = await Chain.StartAsync(postgres);
        chain.Local.PubSub!.Faults.ConcurrentDeliveries = 2;
        var general = await chain.RunToEndAsync(await chain.RequestAsync(project: null));
        Assert.Equal(RunState.Succeeded, general.State);
        var job = await chain.AddExtractionJobAsync();

        await chain.Local.RequestExtractionAsync(job, Stop);
        await chain.Local.RequestExtractionAsync(job, Stop);
        await chain.WaitForExtractionAsync(job);

        Assert.Equal($"general {general.Id} 1", await chain.Database.ScalarAsync<string>(
            "select concat_ws(' ', answered_tier, answered_model_id, answered_version) from ml.extraction_results", Stop));
        Assert.Equal("requires_review", await chain.Database.ScalarAsync<string>(
            $"select status from kb.object_extraction_jobs where id = '{job}'", Stop));
        Assert.Equal(0L, await chain.Database.ScalarAsync<long>(
            $"""
            select j.objects_created - count(o.id) filter (where o.needs_review)
            from   kb.object_extraction_jobs j
            left   join kb.graph_objects o on o.extraction_job_id = j.id
            where  j.id = '{job}'
            group  by j.id
            """,
            Stop));
    }
}
