using System.Globalization;
using FeedbackLoop.Runs;
using FeedbackLoop.Scheduling;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Pipeline.Tests;

/// <summary>
/// What the tuned model finds is training data only once a person has decided: each extraction is followed by a tick of a
/// schedule that starts a training at the first new example.
/// </summary>
public sealed class OnlyDecidedTests(PostgresFixture postgres)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null)]
    [InlineData("""{"auto_accept_threshold": 0.1}""")]
    public async Task Nobody_learns_from_an_extraction_until_a_person_has_reviewed_it(string? thresholds)
    {
        await using var chain = await Chain.StartAsync(postgres);
        var first = await chain.RunToEndAsync(await chain.RequestAsync(project: null));
        Assert.Equal(RunState.Succeeded, first.State);
        await ScheduleAsync(chain);
        if (thresholds is not null)
        {
            await chain.Database.ExecuteAsync(
                $"update kb.projects set extraction_config = '{thresholds}' where organization_id = '{chain.Organization}'", Stop);
        }

        List<Guid> jobs = [];
        for (var i = 0; i < 4; i++)
        {
            var job = await chain.AddExtractionJobAsync();
            await chain.Database.ExecuteAsync(
                $"""
                update kb.chunks
                set    text = text || ' This is text {i}.'
                where  id = (select chunk_id from kb.object_extraction_jobs where id = '{job}')
                """,
                Stop);
            await chain.Local.RequestExtractionAsync(job, Stop);
            await chain.WaitForExtractionAsync(job);
            jobs.Add(job);

            Assert.Equal("0 of 1 new examples", await TickAsync(chain));
        }

        // The product has accepted them by itself, or left them to a person.
        Assert.Equal(
            thresholds is null ? "draft" : "accepted",
            await chain.Database.ScalarAsync<string>(
                $"select string_agg(distinct status, ' ') from kb.graph_objects where extraction_job_id in ({Listed(jobs)})", Stop));
        var before = await ExportAsync(chain);
        Assert.Equal((0L, first.Id), (await ExportedOfAsync(chain, before, jobs), await OnlyTrainingAsync(chain)));

        // Somebody reviews the first; somebody turns down all that was found in the second.
        await ReviewAsync(chain, jobs[0], "accepted");
        var reviewed = await ExportAsync(chain);
        Assert.Equal(1, await ExportedOfAsync(chain, reviewed, jobs));
        await ReviewAsync(chain, jobs[1], "rejected");
        var rejected = await ExportAsync(chain);
        Assert.Equal(2, await ExportedOfAsync(chain, rejected, jobs));
        Assert.Equal(1, await chain.Database.ScalarAsync<long>(
            $"""
            select (d.statistics->'emptyTexts'->>'train')::bigint + (d.statistics->'emptyTexts'->>'validation')::bigint
                   + (d.statistics->'emptyTexts'->>'test')::bigint
            from   ml.training_runs r
            join   ml.datasets d on d.id = r.dataset_id
            where  r.id = '{rejected}'
            """,
            Stop));

        // Only now there is something new to train on.
        Assert.Equal("1 of 1 new examples", await TickAsync(chain));
        Assert.Equal(2L, await chain.Database.ScalarAsync<long>(
            "select count(*) from ml.training_runs where purpose = 'training'", Stop));
    }

    private static async Task ScheduleAsync(Chain chain)
    {
        await using var db = await chain.Database.Database.OpenConnectionAsync(Stop);
        Assert.IsType<ScheduleChangeOutcome.Saved>(await db.SaveScheduleAsync(
            new Scope(chain.Organization, null), new() { Enabled = true, ThresholdEnabled = true, ThresholdCount = 1 },
            expectedVersion: null, "user:tester", TimeProvider.System.GetUtcNow(), Stop));
    }

    /// <summary>Sweeps, so that everything is counted, and lets the schedule be looked at.</summary>
    /// <returns>What the schedule says of its threshold.</returns>
    private static async Task<string> TickAsync(Chain chain)
    {
        await TickSweepAsync(chain);
        await chain.Database.ExecuteAsync(
            """
            update ml.training_schedules
            set    next_check_at = now() - interval '1 minute', last_decision = null, last_decision_reason = null,
                   last_decision_at = null
            """,
            Stop);
        await chain.Local.TickSchedulesAsync(Stop);
        return await WaitForAsync(
            chain,
            "select coalesce(max(last_decision_reason), '') from ml.training_schedules",
            reason => reason is not "");
    }

    private static async Task TickSweepAsync(Chain chain)
    {
        await chain.Local.TickAsync(Stop);
        await WaitForAsync(
            chain, "select count(*)::text from ml.knowledge_changes", count => count == "0");
    }

    private static async Task<RunId> ExportAsync(Chain chain)
    {
        await using var db = await chain.Database.Database.OpenConnectionAsync(Stop);
        var outcome = await db.RequestRunAsync(
            new RunRequest(
                new Scope(chain.Organization, null), RunPurpose.Export, RunTrigger.Manual, "test", RunParameters.Default, Key: null),
            TimeProvider.System.GetUtcNow(), Stop);
        var run = await chain.RunToEndAsync(Assert.IsType<RunRequestOutcome.Accepted>(outcome).RunId);
        Assert.Equal(RunState.Succeeded, run.State);
        return run.Id;
    }

    private static Task<long> ExportedOfAsync(Chain chain, RunId export, IEnumerable<Guid> jobs) =>
        chain.Database.ScalarAsync<long>(
            $"""
            select count(*)
            from   ml.training_runs r
            join   ml.dataset_examples e on e.dataset_id = r.dataset_id
            where  r.id = '{export}'
            and    e.job_id in ({Listed(jobs)})
            """,
            Stop);

    private static async Task<RunId> OnlyTrainingAsync(Chain chain) => new(await chain.Database.ScalarAsync<Guid>(
        "select case when count(*) = 1 then min(id::text)::uuid end from ml.training_runs where purpose = 'training'", Stop));

    // As the product's page does: in place, with the reviewer.
    private static Task ReviewAsync(Chain chain, Guid job, string status) => chain.Database.ExecuteAsync(
        $"""
        update kb.graph_objects
        set    status = '{status}', reviewed_by = gen_random_uuid(), reviewed_at = now(), needs_review = false, labels = '{"{}"}'
        where  extraction_job_id = '{job}'
        """,
        Stop);

    private static string Listed(IEnumerable<Guid> ids) => string.Join(
        ", ", ids.Select(id => string.Create(CultureInfo.InvariantCulture, $"'{id}'")));

    private static async Task<string> WaitForAsync(Chain chain, string sql, Func<string, bool> isThere)
    {
        for (; ; await Task.Delay(50, Stop))
        {
            var value = await chain.Database.ScalarAsync<string>(sql, Stop);
            if (isThere(value))
            {
                return value;
            }

            await chain.Local.TickAsync(Stop);
        }
    }
}
