using FeedbackLoop.Testing;
using Npgsql;

namespace FeedbackLoop.Scheduling.Tests.TwoWeeks;

/// <summary>
/// Where a tick's connection is cut: triggers, which exist in this test's database only, end the session that names them in
/// its settings. Another trigger notes each decision, since a schedule's row holds only the last.
/// </summary>
internal static class FaultPoint
{
    public const string Published = "published";
    private const string Name = "dying";

    public static IReadOnlyList<string> All { get; } = ["claimed", "inserted", "told", "saved", "committing", Published];

    public static Task InstallAsync(TestDatabase database, CancellationToken cancellationToken) => database.ExecuteAsync(
        """
        create schema observed;
        create table observed.looks (
            number      bigint generated always as identity primary key,
            schedule_id uuid not null,
            at          timestamptz not null,
            outcome     text not null,
            reason      text not null,
            run_id      uuid
        );
        create function observed.note_look() returns trigger language plpgsql security definer as $$
        begin
            insert into observed.looks (schedule_id, at, outcome, reason, run_id)
            values (new.id, new.last_decision_at, new.last_decision, new.last_decision_reason, new.open_run_id);
            return null;
        end
        $$;
        create trigger note_look after update of last_decision_at on ml.training_schedules
            for each row execute function observed.note_look();

        create function observed.die() returns trigger language plpgsql security definer as $$
        begin
            if current_setting('fault.point', true) = tg_argv[0] then
                perform pg_terminate_backend(pg_backend_pid());
                perform pg_sleep(10);
            end if;
            return null;
        end
        $$;
        create trigger die_claimed before insert on ml.training_runs
            for each statement execute function observed.die('claimed');
        create trigger die_inserted after insert on ml.training_runs
            for each statement execute function observed.die('inserted');
        create trigger die_told after insert on ml.outbox
            for each statement execute function observed.die('told');
        create trigger die_saved after update on ml.training_schedules
            for each statement execute function observed.die('saved');
        create constraint trigger die_committing after update on ml.training_schedules deferrable initially deferred
            for each row execute function observed.die('committing')
        """,
        cancellationToken);

    /// <summary>Connections that are cut at the point.</summary>
    public static NpgsqlDataSource Open(TestDatabase database, string point) => NpgsqlDataSource.Create(
        new NpgsqlConnectionStringBuilder(database.ConnectionString)
        {
            Options = $"-c fault.point={point}",
            ApplicationName = Name,
        }.ConnectionString);

    /// <summary>Until the server has let go of what the dead had locked, which is later than they hear of their end.</summary>
    public static async Task WaitForDeathsAsync(TestDatabase database, CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            select count(*)
            from   pg_stat_activity
            where  datname = current_database()
            and    application_name = '{Name}'
            and    state <> 'idle'
            """;

        while (await database.ScalarAsync<long>(sql, cancellationToken) > 0)
        {
            await Task.Delay(5, cancellationToken);
        }
    }
}
