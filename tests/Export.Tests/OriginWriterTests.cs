using Dapper;
using FeedbackLoop.Datasets;
using FeedbackLoop.Platform;
using FeedbackLoop.Testing;
using Npgsql;

namespace FeedbackLoop.Export.Tests;

public sealed class OriginWriterTests(PostgresFixture postgres)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Origins_go_out_in_batches_and_the_rest_with_the_flush()
    {
        await using var database = await postgres.CreateDatabaseAsync(Stop);
        await using var db = await database.Database.OpenConnectionAsync(Stop);

        // Never committed: there is no dataset that they belong to.
        await using var tx = await db.BeginTransactionAsync(Stop);
        var writer = new OriginWriter(db, Guid.NewGuid(), Guid.NewGuid());
        var last = new ExampleOrigin(Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), "validation", new byte[32]);
        for (var i = 0; i < 9_000; i++)
        {
            await writer.AddAsync(last with { JobId = Guid.NewGuid(), Split = "train" }, Stop);
        }

        await writer.AddAsync(last, Stop);
        Assert.Equal(8_000, await CountAsync(db, "split = 'train'"));

        await writer.FlushAsync(Stop);
        Assert.Equal(9_000, await CountAsync(db, "split = 'train'"));
        Assert.Equal(1, await CountAsync(
            db,
            $"""
            split = 'validation' and job_id = '{last.JobId}' and chunk_id = '{last.ChunkId}'
            and document_id = '{last.DocumentId}' and content_hash = decode(repeat('00', 32), 'hex')
            """));

        await writer.FlushAsync(Stop);
        Assert.Equal(9_001, await CountAsync(db, "true"));
    }

    private static Task<long> CountAsync(NpgsqlConnection db, string condition) =>
        db.QuerySingleAsync<long>(Sql.Command(
            $"select count(*) from ml.dataset_examples where {condition}", null, Stop));
}
