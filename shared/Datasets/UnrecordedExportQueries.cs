using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Datasets;

/// <summary>A folder that a worker exported to and never recorded.</summary>
/// <param name="Epoch">Of the worker's claim.</param>
/// <param name="Uri">With a slash at the end.</param>
public sealed record UnrecordedExport(RunId RunId, int Epoch, string Uri);

/// <summary>Every statement that touches <c>ml.unrecorded_exports</c>.</summary>
public static class UnrecordedExportQueries
{
    /// <summary>Before the first byte is stored, and not in the transaction that records the dataset.</summary>
    public static Task InsertUnrecordedExportAsync(
        this NpgsqlConnection db, Run claim, string uri, CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.unrecorded_exports (run_id, epoch, organization_id, uri, begun_at, next_look_at)
            values (@Id, @Epoch, @OrganizationId, @uri, clock_timestamp(), clock_timestamp())
            """;

        return db.ExecuteAsync(Sql.Command(
            sql, new { claim.Id, claim.Epoch, claim.OrganizationId, uri }, cancellationToken));
    }

    /// <summary>In the transaction that records the dataset, or when its files are gone.</summary>
    public static Task DeleteUnrecordedExportAsync(
        this NpgsqlConnection db, RunId runId, int epoch, CancellationToken cancellationToken)
    {
        const string sql =
            """
            delete from ml.unrecorded_exports
            where  run_id = @runId
            and    epoch = @epoch
            """;

        return db.ExecuteAsync(Sql.Command(sql, new { runId, epoch }, cancellationToken));
    }

    /// <summary>
    /// Folders whose files nobody can record any more: the run has gone on, to another claim or another state, and the
    /// claim began longer ago than <paramref name="age"/>, so that its worker stores nothing any more either. Never one
    /// that a dataset or an attempt names.
    /// </summary>
    public static async Task<IReadOnlyList<UnrecordedExport>> ListLeftoverExportsAsync(
        this NpgsqlConnection db, TimeSpan age, int limit, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select u.run_id, u.epoch, u.uri
            from   ml.unrecorded_exports u
            join   ml.training_runs r on r.id = u.run_id
            where  u.next_look_at <= (select clock_timestamp())
            and    u.begun_at < (select clock_timestamp()) - @age
            and    (r.epoch > u.epoch or r.state <> 'exporting')
            and    not exists (
                select 1
                from   ml.datasets d
                where  d.run_id = u.run_id
                and    (d.uri = u.uri or starts_with(d.train_uri, u.uri) or starts_with(d.validation_uri, u.uri)
                        or starts_with(d.test_uri, u.uri)))
            and    not exists (
                select 1
                from   ml.tuning_attempts a
                where  a.run_id = u.run_id
                and    starts_with(a.dataset_uri, u.uri))
            order  by u.next_look_at
            limit  @limit
            """;

        var found = await db.QueryAsync<UnrecordedExport>(Sql.Command(sql, new { age, limit }, cancellationToken));
        return found.AsList();
    }

    /// <summary>After files that could not be deleted: others have their turn first.</summary>
    public static Task PostponeLeftoverExportAsync(
        this NpgsqlConnection db, UnrecordedExport export, TimeSpan delay, string error,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.unrecorded_exports
            set    next_look_at = clock_timestamp() + @delay,
                   last_error   = left(@error, 1000)
            where  run_id = @RunId
            and    epoch = @Epoch
            """;

        return db.ExecuteAsync(Sql.Command(sql, new { export.RunId, export.Epoch, delay, error }, cancellationToken));
    }
}
