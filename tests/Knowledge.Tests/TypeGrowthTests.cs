using System.Diagnostics;
using FeedbackLoop.Extraction;
using FeedbackLoop.Testing;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace FeedbackLoop.Knowledge.Tests;

/// <summary>Ten thousand types of a project: the prompt keeps its limits, and as many statements read them as read two.</summary>
public sealed class TypeGrowthTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const int Many = 10_000;

    private TestDatabase _database = null!; // xunit initializes it before each test
    private Guid _project;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Stop);
        _project = await _database.AddProjectAsync(await _database.AddOrganizationAsync(Stop), Stop);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task Of_ten_thousand_types_in_use_the_most_used_are_listed()
    {
        await AddUsedAsync(2);
        var (_, few) = await ReadAsync();
        await AddUsedAsync(Many);

        var (types, many) = await ReadAsync();

        AssertBounded(types, few, many);
        Assert.Equal(100, types.Relationships.Count);
        Assert.Equal(2L * (Many - 100), types.UnlistedTypes);
    }

    [Fact]
    public async Task Of_ten_thousand_types_of_a_registry_the_most_used_are_listed_with_what_there_is_room_to_say()
    {
        await AddRegisteredAsync(2);
        var (_, few) = await ReadAsync();
        await AddRegisteredAsync(Many);
        await AddUsedAsync(Many);

        var (types, many) = await ReadAsync();

        AssertBounded(types, few, many);
        Assert.All(types.Entities.Take(3), type => Assert.StartsWith("What type", type.Description, StringComparison.Ordinal));
    }

    private static void AssertBounded(ExtractionTypes types, int few, int many)
    {
        var prompt = ExtractionPrompt.For(types).System;
        Assert.InRange(prompt.Length, 2_000, 35_000);
        Assert.InRange(few, 3, 6);
        Assert.Equal(few, many);
        Assert.InRange(types.LeftOut.Count, 1, PromptLimits.MostNamed);

        // The last hundred are used twice.
        Assert.Equal(
            Enumerable.Range(Many - 99, 100).Select(i => $"Type {i:00000}"), types.Entities.Select(type => type.Name));
    }

    private Task AddUsedAsync(int count) => _database.ExecuteAsync(
        $$"""
        delete from kb.graph_relationships;
        delete from kb.graph_objects;
        insert into kb.graph_objects (id, canonical_id, project_id, type, status, reviewed_by)
        select md5('o' || i)::uuid, md5('o' || i)::uuid, '{{_project}}', 'Type ' || lpad((1 + (i - 1) % {{count}})::text, 5, '0'),
               'accepted', gen_random_uuid()
        from   generate_series(1, {{count}}) i;
        insert into kb.graph_objects (id, canonical_id, project_id, type, status, reviewed_by)
        select id, id, '{{_project}}', type, 'accepted', gen_random_uuid()
        from   (select gen_random_uuid() as id, type from kb.graph_objects order by type desc limit 100) again;
        insert into kb.graph_relationships (canonical_id, project_id, type, src_id, dst_id)
        select gen_random_uuid(), '{{_project}}', 'REL_' || i, md5('o' || i)::uuid, md5('o' || 1 + i % {{count}})::uuid
        from   generate_series(1, {{count}}) i
        """,
        Stop);

    private Task AddRegisteredAsync(int count) => _database.ExecuteAsync(
        $$$$"""
        delete from kb.project_object_type_registry;
        insert into kb.project_object_type_registry (project_id, type_name, source, description, json_schema, enabled)
        select '{{{{_project}}}}', 'Type ' || lpad(i::text, 5, '0'), 'custom', 'What type ' || i || ' is: ' || repeat('word ', 100),
               jsonb_build_object('properties', (
                   select jsonb_object_agg('field ' || k, '{"type":"string"}'::jsonb) from generate_series(1, 20) k)),
               true
        from   generate_series(1, {{{{count}}}}) i
        """,
        Stop);

    /// <returns>The types, and the statements that it took.</returns>
    private async Task<(ExtractionTypes Types, int Statements)> ReadAsync()
    {
        using var statements = new StatementCounter();
        using var logging = LoggerFactory.Create(builder => builder.AddProvider(statements));
        await using var source = new NpgsqlDataSourceBuilder(_database.ConnectionString).UseLoggerFactory(logging).Build();
        await using var db = await source.OpenConnectionAsync(Stop);
        var started = Stopwatch.GetTimestamp();
        var types = (await db.ListTypesAsync([_project], new VerificationOptions(), Stop))[_project];
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{types.Entities.Count} types of {types.UnlistedTypes + types.Entities.Count}: {Stopwatch.GetElapsedTime(started)}");
        return (types, statements.Count);
    }

    private sealed class StatementCounter : ILoggerProvider, ILogger
    {
        private int _count;

        public int Count => _count;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (eventId.Name == "CommandExecutionCompleted")
            {
                Interlocked.Increment(ref _count);
            }
        }

        public void Dispose()
        {
        }
    }
}
