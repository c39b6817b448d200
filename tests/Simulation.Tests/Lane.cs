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

    private Lane(TestDatabase database, NpgsqlConnection stageHand, IReadOnlyList<Scope> scopes)
    {
        (_database, _stageHand, Scopes) = (database, stageHand, scopes);
        _slots = [.. Enumerable.Range(0, Slots).Select(number => new Slot(this, number))];
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
        // A connection that is open already is got without a wait: a play would begin otherwise than the one before.
        foreach (var slot in _slots)
        {
            slot.Burn();
        }

        Execute(
            "truncate ml.training_runs, ml.outbox, ml.audit_log, kb.notifications cascade; "
            + "update testclock.setting set ahead = interval '0'");
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
        private readonly Lane _lane;
        private readonly string _name;

        public Slot(Lane lane, int number)
        {
            (_lane, _name, Relay) = (lane, $"slot {number}", new Relay(lane._database.ConnectionString));

            // What a dead worker has open counts as open for ever.
            Database = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(lane._database.ConnectionString)
            {
                ApplicationName = _name,
                Port = Relay.Port,
                SslMode = SslMode.Disable,
                MaxPoolSize = 1_000_000,
            });
        }

        public bool IsTaken { get; set; }

        public Relay Relay { get; }

        public NpgsqlDataSource Database { get; }

        /// <summary>Whether a connection waits for a lock.</summary>
        public bool IsBlocked() => (bool)_lane.Ask(
            """
            select exists (
                select 1
                from   pg_stat_activity
                where  datname = current_database()
                and    application_name = $1
                and    cardinality(pg_blocking_pids(pid)) > 0)
            """,
            _name);

        public void Free() => IsTaken = false;

        /// <summary>What the worker had open ends as it does when a machine dies: it is rolled back.</summary>
        public void Burn()
        {
            _lane.Execute(
                """
                select pg_terminate_backend(pid, 60000)
                from   pg_stat_activity
                where  datname = current_database()
                and    application_name = $1
                """,
                _name);
            Relay.Cut();
            Database.Clear();
            IsTaken = false;
        }

        public async ValueTask DisposeAsync()
        {
            await Database.DisposeAsync();
            Relay.Dispose();
        }
    }
}
