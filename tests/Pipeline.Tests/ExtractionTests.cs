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
        var job = await AddJobAsync(chain);

        await chain.Local.RequestExtractionAsync(job, Stop);
        await chain.Local.RequestExtractionAsync(job, Stop);
        await WaitAsync(chain, job);

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

    // A new document with the text of an old one.
    private static Task<Guid> AddJobAsync(Chain chain) => chain.Database.ScalarAsync<Guid>(
        $"""
        with source as (
            select d.project_id, c.text
            from   kb.chunks c
            join   kb.documents d on d.id = c.document_id
            join   kb.projects p on p.id = d.project_id and p.organization_id = '{chain.Organization}'
            order  by length(c.text) desc, c.id
            limit  1
        ),
        document as (
            insert into kb.documents (project_id, filename) select project_id, 'new.txt' from source returning id, project_id
        ),
        chunk as (
            insert into kb.chunks (document_id, chunk_index, text)
            select d.id, 0, s.text from document d cross join source s returning id
        )
        insert into kb.object_extraction_jobs (project_id, document_id, chunk_id)
        select d.project_id, d.id, c.id from document d cross join chunk c
        returning id
        """,
        Stop);

    private static async Task WaitAsync(Chain chain, Guid job)
    {
        for (var round = 0; round < 400; round++)
        {
            if (await chain.Database.ScalarAsync<bool>(
                $"select completed_at is not null from kb.object_extraction_jobs where id = '{job}'", Stop))
            {
                return;
            }

            await Task.Delay(50, Stop);
        }

        throw new InvalidOperationException($"job {job} does not end");
    }
}
