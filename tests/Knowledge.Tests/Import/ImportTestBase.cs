using System.Text;
using System.Text.Json.Nodes;
using FeedbackLoop.Testing;
using Microsoft.Extensions.Time.Testing;

namespace FeedbackLoop.Knowledge.Import;

/// <summary>A database of its own for each test, and an import into it.</summary>
public abstract class ImportTestBase(PostgresFixture postgres) : IAsyncLifetime
{
    protected static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private TestDatabase? _database;

    /// <summary>Sixty chunks of fourteen documents in two projects.</summary>
    protected static JsonObject[] Lines { get; } = Enumerable.Range(0, 60)
        .Select(i => SampleLine.Create($"d{i % 7}#{i}", $"d{i % 7}", $"project {i % 2}"))
        .ToArray();

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    protected TestDatabase Database => _database ?? throw new InvalidOperationException("not initialized");

    /// <summary>Whether the product's tables are those of its later server.</summary>
    protected virtual bool IsLaterGeneration => false;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Cancellation);
        if (IsLaterGeneration)
        {
            await LaterGeneration.ApplyAsync(_database.Admin, Cancellation);
        }
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Database.DisposeAsync();
    }

    protected Task<ImportReport> ImportAsync(params JsonObject[] lines) => ImportAsync(new ImportOptions(), lines);

    protected Task<ImportReport> ImportAsync(ImportOptions options, params JsonObject[] lines) =>
        ImportTextAsync(Text(lines), options);

    protected static string Text(IEnumerable<JsonObject> lines) =>
        string.Concat(lines.Select(l => l.ToJsonString() + "\n"));

    protected Task<ImportReport> ImportTextAsync(string text, ImportOptions? options = null) =>
        ImportBytesAsync(Encoding.UTF8.GetBytes(text), options);

    protected async Task<ImportReport> ImportBytesAsync(byte[] bytes, ImportOptions? options = null)
    {
        using var input = new MemoryStream(bytes);
        return await NewImport().ImportAsync(input, "Halvorsund", options ?? new(), progress: null, Cancellation);
    }

    protected KnowledgeImport NewImport() => new(Database.Database, new FakeTimeProvider(Now));

    protected Task<T> ScalarAsync<T>(string sql) => Database.ScalarAsync<T>(sql, Cancellation);

    /// <summary>All that an import writes, as one text.</summary>
    protected Task<string> SnapshotAsync() => ScalarAsync<string>(
        """
        select string_agg(t.name || ': ' || t.rows, e'\n' order by t.name)
        from  (select 'orgs' as name, json_agg(r order by id)::text as rows from kb.orgs r
               union all select 'projects', json_agg(r order by id)::text from kb.projects r
               union all select 'documents', json_agg(r order by id)::text from kb.documents r
               union all select 'chunks', json_agg(r order by id)::text from kb.chunks r
               union all select 'jobs', json_agg(r order by id)::text from kb.object_extraction_jobs r
               union all select 'objects', json_agg(r order by id)::text from kb.graph_objects r
               union all select 'links', json_agg(r order by id)::text from kb.object_chunks r
               union all select 'relationships', json_agg(r order by id)::text from kb.graph_relationships r
               union all select 'people', json_agg(r order by id)::text from core.user_profiles r) t
        """);
}
