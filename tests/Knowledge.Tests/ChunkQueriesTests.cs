using FeedbackLoop.Testing;
using Npgsql;

namespace FeedbackLoop.Knowledge;

public sealed class ChunkQueriesTests(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private TestDatabase _database = null!;  // xunit initializes it before each test
    private NpgsqlConnection _db = null!;    // likewise
    private Guid _document;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Cancellation);
        _db = await _database.Database.OpenConnectionAsync(Cancellation);
        _document = await AddDocumentAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _db.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task The_first_chunks_of_a_document_replace_nothing()
    {
        Assert.Equal(0, await ReplaceAsync("one", "two"));

        Assert.Equal(["0 one", "1 two"], await TextsAsync(includeDeleted: false));
    }

    [Fact]
    public async Task Ordinary_use_sees_live_chunks_only()
    {
        await ReplaceAsync("old one", "old two", "old three");

        Assert.Equal(3, await ReplaceAsync("new one", "new two"));

        Assert.Equal(["0 new one", "1 new two"], await TextsAsync(includeDeleted: false));
    }

    [Fact]
    public async Task Training_sees_deleted_chunks_too_and_knows_them()
    {
        await ReplaceAsync("old");
        await ReplaceAsync("new");

        var chunks = await _db.StreamChunksAsync(_document, includeDeleted: true, Cancellation).ToListAsync(Cancellation);

        Assert.Equal([("new", null), ("old", (DateTimeOffset?)Now)], chunks.Select(c => (c.Text, c.DeletedAt)));
    }

    [Fact]
    public async Task A_document_may_be_processed_many_times()
    {
        for (var i = 0; i < 5; i++)
        {
            await ReplaceAsync($"{i}", $"{i}");
        }

        Assert.Equal(["0 4", "1 4"], await TextsAsync(includeDeleted: false));
        Assert.Equal(10, (await TextsAsync(includeDeleted: true)).Count);
    }

    [Fact]
    public async Task Nothing_new_leaves_a_document_without_live_chunks()
    {
        await ReplaceAsync("old");

        Assert.Equal(1, await ReplaceAsync());

        Assert.Empty(await TextsAsync(includeDeleted: false));
    }

    [Fact]
    public async Task A_replacement_that_fails_deletes_nothing()
    {
        await ReplaceAsync("old");
        var taken = (await _db.StreamChunksAsync(_document, false, Cancellation).ToListAsync(Cancellation))[0].Id;

        await Assert.ThrowsAsync<PostgresException>(
            () => _db.ReplaceChunksAsync(_document, [new NewChunk(taken, "new", "{}")], Now, Cancellation));

        Assert.Equal(["0 old"], await TextsAsync(includeDeleted: false));
    }

    [Fact]
    public async Task Other_documents_are_left_alone()
    {
        await ReplaceAsync("mine");
        var other = await AddDocumentAsync();

        await _db.ReplaceChunksAsync(other, [New("theirs")], Now, Cancellation);

        Assert.Equal(["0 mine"], await TextsAsync(includeDeleted: false));
    }

    [Fact]
    public async Task A_live_and_a_deleted_chunk_can_be_added_together()
    {
        await _db.InsertChunksAsync(
            [
                new Chunk(Guid.CreateVersion7(), _document, 0, "live", "{}", DeletedAt: null),
                new Chunk(Guid.CreateVersion7(), _document, 0, "deleted", "{}", Now),
            ],
            Now,
            Cancellation);

        Assert.Equal(["0 live"], await TextsAsync(includeDeleted: false));
        Assert.Equal(["0 live", "0 deleted"], await TextsAsync(includeDeleted: true));
    }

    private static NewChunk New(string text) => new(Guid.CreateVersion7(), text, "{}");

    private Task<int> ReplaceAsync(params string[] texts) =>
        _db.ReplaceChunksAsync(_document, Array.ConvertAll(texts, New), Now, Cancellation);

    private async Task<List<string>> TextsAsync(bool includeDeleted)
    {
        var chunks = await _db.StreamChunksAsync(_document, includeDeleted, Cancellation).ToListAsync(Cancellation);
        return chunks.ConvertAll(c => $"{c.ChunkIndex} {c.Text}");
    }

    private async Task<Guid> AddDocumentAsync()
    {
        var project = await _database.AddProjectAsync(await _database.AddOrganizationAsync(Cancellation), Cancellation);
        return await _database.ScalarAsync<Guid>(
            $"insert into kb.documents (project_id, filename) values ('{project}', 'file') returning id", Cancellation);
    }
}
