using FeedbackLoop.Runs;
using FeedbackLoop.Statistics;
using Npgsql;

namespace FeedbackLoop.Bench;

/// <summary>Schedules of projects, a thousand in each organization.</summary>
internal static class ScheduleRows
{
    /// <summary>Daily ones, of which some have a slot that has come; the others' comes later on the same day.</summary>
    public static Task FillAsync(
        NpgsqlDataSource admin, int schedules, int due, DateTimeOffset now, CancellationToken cancellationToken) =>
        ExecuteAsync(
            admin,
            $"""
            insert into kb.orgs (id, name)
            select md5('o' || i)::uuid, 'bench' from generate_series(0, {schedules} / 1000) i;
            insert into kb.projects (id, organization_id, name)
            select md5('p' || i)::uuid, md5('o' || i / 1000)::uuid, 'bench' from generate_series(1, {schedules}) i;
            insert into ml.training_schedules (
                id, organization_id, project_id, enabled, cron_enabled, cron_expression, time_zone, active_since,
                next_scheduled_at, next_check_at, created_at, updated_at)
            select md5('s' || i)::uuid, md5('o' || i / 1000)::uuid, md5('p' || i)::uuid, true, true,
                   case when is_due then '0 2 * * *' else '0 12 * * *' end, 'Europe/Berlin', '{now:O}', slot, slot, '{now:O}',
                   '{now:O}'
            from   (select i, i % ({schedules} / {due}) = 0 as is_due from generate_series(1, {schedules}) i) n
            cross  join lateral (select case when is_due then timestamptz '{now.Date:yyyy-MM-dd} 00:00Z'
                                             else timestamptz '{now.Date:yyyy-MM-dd} 10:00Z' end as slot) s;
            """,
            "analyze",
            cancellationToken);

    /// <summary>Half of the examples that each schedule waits for, counted on two days.</summary>
    public static async Task WaitForExamplesAsync(
        NpgsqlDataSource admin, DateTimeOffset now, CancellationToken cancellationToken)
    {
        // What the counts are counted by, the fold of one project shows.
        await using (var command = admin.CreateCommand("select md5('p1')::uuid"))
        {
            var project = (Guid)(await command.ExecuteScalarAsync(cancellationToken))!; // never null
            await new StatisticsFold(admin, CountingRules.Default).FoldAllAsync(project, int.MaxValue, cancellationToken);
        }

        await ExecuteAsync(
            admin,
            $"""
            insert into ml.counted_projects (project_id, organization_id, rules, counted_at, complete_to)
            select p.id, p.organization_id, n.rules, '{now:O}', '{now:O}'
            from   kb.projects p
            cross  join ml.counted_projects n
            where  p.id <> n.project_id;
            insert into ml.extraction_counts (
                project_id, organization_id, changed_on, level, usable, decided, own_usable, own_decided, empty)
            select id, organization_id, day, 101, 25, 25, 25, 25, 0
            from   kb.projects, (values (date '2026-06-01'), (date '2026-06-02')) as d (day);
            update ml.training_schedules set threshold_enabled = true, next_check_at = '{now:O}';
            """,
            "vacuum analyze",
            cancellationToken);
    }

    /// <summary>Runs, and the different slots that they have.</summary>
    public static async Task<(long Runs, long Slots)> CountAsync(NpgsqlDataSource admin, CancellationToken cancellationToken)
    {
        await using var command = admin.CreateCommand(
            "select count(*), count(distinct (schedule_id, slot)) from ml.training_runs");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetInt64(0), reader.GetInt64(1));
    }

    private static async Task ExecuteAsync(
        NpgsqlDataSource admin, string fill, string tidy, CancellationToken cancellationToken)
    {
        foreach (var sql in (string[])[fill, tidy])
        {
            await using var command = admin.CreateCommand(sql);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }
}

/// <summary>A time that does not pass, so that a second round of ticks is a second delivery of the first.</summary>
internal sealed class BenchClock(DateTimeOffset now) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => now;
}

/// <summary>Pub/Sub is not what is measured.</summary>
internal sealed class NoPublisher : IMessagePublisher
{
    public Task PublishAsync(string topic, string payload, CancellationToken cancellationToken) => Task.CompletedTask;
}
