using System.Runtime.CompilerServices;
using Npgsql;
using NpgsqlTypes;

namespace FeedbackLoop.Knowledge;

/// <summary>
/// One consistent reading of verified objects, their chunks and their relationships. Three connections share one snapshot,
/// so the three ordered streams can be merged while they come in; nothing is held beyond the row at hand.
/// </summary>
public sealed class KnowledgeSnapshot : IAsyncDisposable
{
    /// <summary>Rows of one FETCH from a cursor: enough to hide the round trip, little enough to stay small.</summary>
    private const int FetchSize = 2_000;

    private readonly Func<CancellationToken, ValueTask<NpgsqlConnection>> _open;
    private readonly KnowledgeSelection _selection;
    private readonly Guid[] _projects;
    private readonly NpgsqlConnection _owner;
    private readonly string _snapshotId;

    private KnowledgeSnapshot(
        Func<CancellationToken, ValueTask<NpgsqlConnection>> open, KnowledgeSelection selection, Guid[] projects,
        NpgsqlConnection owner, string snapshotId, DateTimeOffset takenAt)
    {
        (_open, _selection, _projects, _owner, _snapshotId) = (open, selection, projects, owner, snapshotId);
        TakenAt = takenAt;
    }

    /// <summary>When the snapshot was taken, by the database's clock.</summary>
    public DateTimeOffset TakenAt { get; }

    /// <summary>The projects that are read.</summary>
    public IReadOnlyList<Guid> Projects => _projects;

    /// <summary>The connection that holds the snapshot, for further reads of the same state.</summary>
    public NpgsqlConnection Connection => _owner;

    /// <inheritdoc cref="OpenAsync(Func{CancellationToken, ValueTask{NpgsqlConnection}}, KnowledgeSelection, CancellationToken)"/>
    public static Task<KnowledgeSnapshot> OpenAsync(
        NpgsqlDataSource database, KnowledgeSelection selection, CancellationToken cancellationToken) =>
        OpenAsync(database.OpenConnectionAsync, selection, cancellationToken);

    /// <param name="open">A connection that sees the selection: any one of the pool, or one that is bound to a tenant.</param>
    /// <exception cref="PostgresException">The database refused.</exception>
    public static async Task<KnowledgeSnapshot> OpenAsync(
        Func<CancellationToken, ValueTask<NpgsqlConnection>> open, KnowledgeSelection selection,
        CancellationToken cancellationToken)
    {
        var owner = await open(cancellationToken);
        try
        {
            await BeginAsync(owner, snapshotId: null, selection, cancellationToken);
            var projects = await ProjectsAsync(owner, selection, cancellationToken);
            await using var command = new NpgsqlCommand("select pg_export_snapshot(), now()", owner);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            return new(
                open, selection, projects, owner, reader.GetString(0), reader.GetFieldValue<DateTimeOffset>(1));
        }
        catch
        {
            await owner.DisposeAsync();
            throw;
        }
    }

    /// <summary>Every current object of the selection, ordered by extraction; see <see cref="KnowledgeSql.Objects"/>.</summary>
    public IAsyncEnumerable<ExtractedObject> StreamObjectsAsync(CancellationToken cancellationToken) =>
        StreamAsync(
            KnowledgeSql.Objects,
            static row => new ExtractedObject(
                row.IsDBNull(0) ? null : row.GetGuid(0),
                row.IsDBNull(1) ? null : row.GetGuid(1),
                row.GetGuid(2),
                (Verdict)row.GetInt16(3),
                row.GetString(4),
                row.IsDBNull(5) ? null : row.GetString(5),
                row.GetFieldValue<byte[]>(6),
                row.GetBoolean(7),
                row.GetBoolean(8)),
            cancellationToken);

    /// <summary>By document what its extractions hold, in no order; see <see cref="KnowledgeSql.Contents"/>.</summary>
    /// <param name="maxUndecidedShare">As in <see cref="Runs.ExportCriteria"/>.</param>
    public IAsyncEnumerable<DocumentContents> StreamContentsAsync(
        double maxUndecidedShare, CancellationToken cancellationToken) =>
        StreamAsync(
            _selection.IsAttributed ? KnowledgeSql.AttributedContents : KnowledgeSql.Contents,
            static row => new DocumentContents(
                row.GetGuid(0), row.GetFieldValue<Guid[]>(1), row.GetFieldValue<string?[]>(2), row.GetFieldValue<Guid[]>(3),
                row.GetFieldValue<string?[]>(4), row.GetFieldValue<Guid[]>(5)),
            cancellationToken,
            ("maxUndecidedShare", maxUndecidedShare));

    /// <summary>The chunk of every extraction that has an object, in the same order.</summary>
    public IAsyncEnumerable<SourceChunk> StreamChunksAsync(CancellationToken cancellationToken) =>
        StreamAsync(
            _selection.IsAttributed ? KnowledgeSql.AttributedChunks : KnowledgeSql.Chunks,
            static row => new SourceChunk(
                row.GetGuid(0), row.GetGuid(1), row.GetGuid(2), row.GetGuid(3), row.GetString(4),
                row.IsDBNull(5) ? null : row.GetString(5), row.GetBoolean(6)),
            cancellationToken);

    /// <summary>Every current relationship that starts at a verified object, in the same order.</summary>
    public IAsyncEnumerable<ExtractedRelationship> StreamRelationshipsAsync(CancellationToken cancellationToken) =>
        StreamAsync(
            KnowledgeSql.Relationships,
            static row => new ExtractedRelationship(
                row.GetGuid(0), row.GetGuid(1), row.GetGuid(2), row.GetGuid(3), row.GetString(4),
                row.GetFieldValue<byte[]>(5)),
            cancellationToken);

    public ValueTask DisposeAsync() => _owner.DisposeAsync();

    private static async Task BeginAsync(
        NpgsqlConnection db, string? snapshotId, KnowledgeSelection selection, CancellationToken cancellationToken)
    {
        // An export may read for minutes; the service's ordinary time-outs are for requests. The planner would otherwise
        // prefer plans that are quick for the first rows of a cursor, or for the few rows of stale statistics.
        var sql =
            $"""
            begin isolation level repeatable read read only;
            {(snapshotId is null ? "" : $"set transaction snapshot '{snapshotId}';")}
            set local statement_timeout = 0;
            set local cursor_tuple_fraction = 1.0;
            {KnowledgeSql.HashJoins}
            """;
        await using var begin = new NpgsqlCommand(sql, db);
        await begin.ExecuteNonQueryAsync(cancellationToken);

        await using var scope = new NpgsqlCommand(
            "select set_config('app.current_project_id', $1, true)", db);
        scope.Parameters.AddWithValue(selection.ProjectId?.ToString() ?? "");
        await scope.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<Guid[]> ProjectsAsync(
        NpgsqlConnection db, KnowledgeSelection selection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            select coalesce(array_agg(p.id order by p.id), '{}')
            from   kb.projects p
            where  p.organization_id = $1
            and    ($2::uuid is null or p.id = $2)
            and    p.deleted_at is null
            """,
            db);
        command.Parameters.AddWithValue(selection.OrganizationId);
        command.Parameters.Add(new NpgsqlParameter
        {
            NpgsqlDbType = NpgsqlDbType.Uuid,
            Value = selection.ProjectId ?? (object)DBNull.Value,
        });
        return (Guid[])(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private async IAsyncEnumerable<T> StreamAsync<T>(
        string sql, Func<NpgsqlDataReader, T> map, [EnumeratorCancellation] CancellationToken cancellationToken,
        params (string Name, object Value)[] more)
    {
        await using var db = await _open(cancellationToken);
        await BeginAsync(db, _snapshotId, _selection, cancellationToken);

        // Named after its rows: a client that prepares statements by itself knows them by their text alone.
        var cursor = $"rows_of_{typeof(T).Name}";
        await using (var declare = new NpgsqlCommand($"declare {cursor} no scroll cursor for {sql}", db))
        {
            declare.Parameters.AddWithValue("projects", _projects);
            declare.Parameters.AddWithValue("minConfidence", _selection.Rule.MinConfidence);
            declare.Parameters.AddWithValue("humanReviewedOnly", _selection.Rule.HumanReviewedOnly);
            declare.Parameters.AddWithValue("countOwnAcceptances", _selection.Rule.CountOwnAcceptances);
            declare.Parameters.AddWithValue("acceptedStatuses", _selection.Rule.AcceptedStatuses.ToArray());
            declare.Parameters.AddWithValue("includeDeleted", _selection.IncludeDeleted);
            declare.Parameters.AddWithValue("seed", _selection.Seed.ToString(System.Globalization.CultureInfo.InvariantCulture));
            foreach (var (name, value) in more)
            {
                declare.Parameters.AddWithValue(name, value);
            }

            await declare.ExecuteNonQueryAsync(cancellationToken);
        }

        await using var fetch = new NpgsqlCommand($"fetch forward {FetchSize} from {cursor}", db) { CommandTimeout = 0 };
        for (var rows = FetchSize; rows == FetchSize;)
        {
            rows = 0;
            await using var reader = await fetch.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                rows++;
                yield return map(reader);
            }
        }

        await using var end = new NpgsqlCommand("commit", db);
        await end.ExecuteNonQueryAsync(cancellationToken);
    }
}
