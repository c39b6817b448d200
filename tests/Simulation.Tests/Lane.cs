using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Npgsql;

namespace FeedbackLoop.Simulation.Tests;

/// <summary>A database that plays follow each other in, with two organizations that have something to learn from.</summary>
internal sealed class Lane : IAsyncDisposable
{
    /// <summary>Enough for two deliveries of one run, a sweep and a person, or two sweeps.</summary>
    public const int Slots = 4;

    private readonly TestDatabase _database;
    private readonly NpgsqlConnection _stageHand;
    private readonly Slot[] _slots;
    private readonly IReadOnlyList<string> _tables;
    private int _plays;

    private Lane(TestDatabase database, NpgsqlConnection stageHand, IReadOnlyList<Scope> scopes)
    {
        (_database, _stageHand, Scopes) = (database, stageHand, scopes);
        _tables = List(
            """
            with recursive written as (
                select unnest('{ml.training_runs,ml.outbox,ml.audit_log,kb.notifications}'::regclass[]) as name
                union
                select c.conrelid::regclass
                from   written w
                join   pg_constraint c on c.confrelid = w.name and c.contype = 'f' and c.conparentid = 0)
            select name::text from written order by 1
            """);
        _slots = [.. Enumerable.Range(0, Slots).Select(_ => new Slot(this))];
    }

    /// <summary>The project of the first organization, and that of the second.</summary>
    public IReadOnlyList<Scope> Scopes { get; }

    public static async Task<Lane> StartAsync(PostgresFixture postgres, CancellationToken cancellationToken)
    {
        var database = await postgres.CreateDatabaseAsync(cancellationToken);
        var rows = new KnowledgeRows(database.Database);
        var scopes = new List<Scope>();
        for (var tenant = 0; tenant < 2; tenant++)
        {
            var organization = await rows.AddOrganizationAsync();
            var project = await rows.AddProjectAsync(organization);
            await rows.AddTrainingTextsAsync(
                project, Enumerable.Range(0, 3).Select(text => $"The Ledger books payments of bank {text}."));
            scopes.Add(new Scope(organization, project));
        }

        // The first sweep counts what there is to learn from; each later one finds it counted.
        await Steps.Nowhere.SweepAsync(database.Database, cancellationToken);
        return new Lane(database, await database.Admin.OpenConnectionAsync(cancellationToken), scopes);
    }

    /// <summary>Nothing of an earlier play is left, and the database's clock shows the time that it is.</summary>
    public void Clear()
    {
        foreach (var slot in _slots)
        {
            slot.Refresh();
        }

        // Rows that a play has made are few: each table's file would be made anew by a truncate.
        Execute(
            $"""
            set session_replication_role = replica;
            {string.Concat(_tables.Select(table => $"delete from {table};"))}
            set session_replication_role = origin;
            update testclock.setting set ahead = interval '0'
            """);
        if (++_plays % 100 == 0)
        {
            Execute($"vacuum {string.Join(", ", _tables)}, testclock.setting");
        }
    }

    public DateTimeOffset Now() => new((DateTime)Ask("select clock_timestamp()"), TimeSpan.Zero);

    public void Advance(TimeSpan by) => Execute("update testclock.setting set ahead = ahead + $1", by);

    /// <summary>The first column of the first row.</summary>
    public object Ask(string sql, params object[] values)
    {
        using var command = Command(sql, values);
        return command.ExecuteScalar() ?? throw new InvalidOperationException($"nothing came of: {sql}");
    }

    /// <summary>The first column of each row, as text.</summary>
    public IReadOnlyList<string> List(string sql, params object[] values)
    {
        using var command = Command(sql, values);
        using var reader = command.ExecuteReader();
        var found = new List<string>();
        while (reader.Read())
        {
            found.Add(reader.GetString(0));
        }

        return found;
    }

    public void Execute(string sql, params object[] values)
    {
        using var command = Command(sql, values);
        command.ExecuteNonQuery();
    }

    public bool HasFreeSlot => _slots.Any(slot => !slot.IsTaken);

    public Slot TakeSlot()
    {
        var slot = _slots.First(slot => !slot.IsTaken);
        slot.IsTaken = true;
        return slot;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var slot in _slots)
        {
            await slot.DisposeAsync();
        }

        await _stageHand.DisposeAsync();
        await _database.DisposeAsync();
    }

    private NpgsqlCommand Command(string sql, object[] values)
    {
        var command = new NpgsqlCommand(sql, _stageHand);
        foreach (var value in values)
        {
            command.Parameters.AddWithValue(value);
        }

        return command;
    }

    /// <summary>The connections of one worker at a time, kept for the next one unless the worker dies.</summary>
    internal sealed class Slot : IAsyncDisposable
    {
        /// <summary>Open when a play begins, so that it begins as it does alone: one that is open is got without a wait.</summary>
        private const int OpenAtFirst = 3;

        /// <summary>What a dead worker has open counts as open for ever.</summary>
        private const int MostLost = 900;

        private readonly Lane _lane;
        private readonly string _connectionString;
        private int _lost;

        public Slot(Lane lane)
        {
            (_lane, Relay) = (lane, new Relay(lane._database.ConnectionString));
            _connectionString = new NpgsqlConnectionStringBuilder(lane._database.ConnectionString)
            {
                Port = Relay.Port,
                SslMode = SslMode.Disable,
                GssEncryptionMode = GssEncryptionMode.Disable,
                MaxPoolSize = MostLost + 100,
                NoResetOnClose = true,

                // A statement is the same thousands of times, and most of its cost is its plan.
                MaxAutoPrepare = 200,
                AutoPrepareMinUsages = 2,
            }.ConnectionString;
            Database = NpgsqlDataSource.Create(_connectionString);
        }

        public bool IsTaken { get; set; }

        public Relay Relay { get; }

        public NpgsqlDataSource Database { get; private set; }

        /// <summary>Whether one of these processes of the server waits for a lock.</summary>
        public bool IsBlocked(IReadOnlyList<int> processes) => (bool)_lane.Ask(
            "select coalesce(bool_or(cardinality(pg_blocking_pids(pid)) > 0), false) from unnest($1) pid", processes.ToArray());

        public void Free() => IsTaken = false;

        /// <summary>What the worker had open ends as it does when a machine dies: it is rolled back.</summary>
        public void Burn()
        {
            _lost += Relay.Cut(process => _lane.Ask("select pg_terminate_backend($1)", process));
            Database.Clear();
            IsTaken = false;
        }

        /// <summary>As before the first play, but for what was prepared.</summary>
        public void Refresh()
        {
            if (IsTaken)
            {
                Burn();
            }

            if (_lost > MostLost)
            {
                Database.Dispose();
                (Database, _lost) = (NpgsqlDataSource.Create(_connectionString), 0);
            }

            var opening = Task.Run(async () =>
            {
                var open = new List<NpgsqlConnection>();
                while (open.Count < OpenAtFirst)
                {
                    open.Add(await Database.OpenConnectionAsync());
                }

                open.ForEach(connection => connection.Dispose());
            });
            while (!opening.Wait(TimeSpan.FromTicks(200)))
            {
                Relay.PassQuestions();
                Relay.AwaitAnswers(TimeSpan.FromSeconds(1));
                Relay.PassAnswer();
            }
        }

        public async ValueTask DisposeAsync()
        {
            await Database.DisposeAsync();
            Relay.Dispose();
        }
    }
}
