using System.Text.Json.Nodes;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Knowledge.Import;

public sealed class RevisionTests(PostgresFixture postgres) : ImportTestBase(postgres)
{
    private static JsonObject[] First => [SampleLine.Create("d1#0"), SampleLine.Create("d1#1"), SampleLine.Create("d1#2")];

    private static JsonObject[] Second => [Revised("d1#0"), Revised("d1#1r2")];

    [Fact]
    public async Task A_second_revision_replaces_the_chunks_of_the_first()
    {
        await ImportAsync(First);

        var report = await ImportAsync(Second);

        Assert.Equal((2, 3), (report.Added, report.ReplacedChunks));
        Assert.Equal("0:d1#0 1:d1#1r2", await ChunksAsync("c.deleted_at is null"));
        Assert.Equal("0:d1#0 1:d1#1 2:d1#2", await ChunksAsync("c.deleted_at is not null"));
    }

    [Fact]
    public async Task Objects_outlive_their_chunk()
    {
        await ImportAsync(First);

        await ImportAsync(Second);

        Assert.Equal(10, await ScalarAsync<long>("select count(*) from kb.graph_objects where deleted_at is null"));
        Assert.Equal(
            6,
            await ScalarAsync<long>(
                """
                select count(*)
                from   kb.object_chunks l
                join   kb.chunks c on c.id = l.chunk_id
                where  c.deleted_at is not null
                """));
    }

    [Fact]
    public async Task A_revision_may_arrive_line_by_line()
    {
        await ImportAsync(First);

        await ImportAsync(new ImportOptions { LinesPerBatch = 1 }, Second);

        Assert.Equal("0:d1#0 1:d1#1r2", await ChunksAsync("c.deleted_at is null"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(100)]
    public async Task Revisions_may_arrive_in_any_order(int linesPerBatch)
    {
        var report = await ImportAsync(new ImportOptions { LinesPerBatch = linesPerBatch }, [.. Second, .. First]);

        Assert.Equal((5, 3), (report.Added, report.ReplacedChunks));
        Assert.Equal("0:d1#0 1:d1#1r2", await ChunksAsync("c.deleted_at is null"));
    }

    [Fact]
    public async Task Importing_all_revisions_again_changes_nothing()
    {
        await ImportAsync([.. First, .. Second]);
        var before = await SnapshotAsync();

        var report = await ImportAsync(new ImportOptions { LinesPerBatch = 2 }, [.. First, .. Second]);

        Assert.Equal((5, 0), (report.Unchanged, report.ReplacedChunks));
        Assert.Equal(before, await SnapshotAsync());
    }

    [Fact]
    public async Task Another_document_keeps_its_chunks()
    {
        await ImportAsync([.. First, SampleLine.Create("d2#0", "d2")]);

        await ImportAsync(Second);

        Assert.Equal("0:d1#0 1:d1#1r2 0:d2#0", await ChunksAsync("c.deleted_at is null"));
    }

    private static JsonObject Revised(string chunkId)
    {
        var line = SampleLine.Create(chunkId);
        line["revision"] = 2;
        return line;
    }

    private Task<string> ChunksAsync(string condition) => ScalarAsync<string>(
        $"""
        select string_agg(concat(c.chunk_index, ':', c.metadata ->> 'externalId'), ' '
                          order by d.metadata ->> 'externalId', c.chunk_index)
        from   kb.chunks c
        join   kb.documents d on d.id = c.document_id
        where  {condition}
        """);
}
