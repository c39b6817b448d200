using System.Text;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Local;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Pipeline.Tests;

/// <summary>What each chain of these tests is asked for at its end: that no file of its runs holds personal data.</summary>
public sealed class ExportedFileTests(PostgresFixture postgres)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Texts_with_personal_data_leave_no_trace_in_the_files_and_one_line_that_has_some_is_noticed()
    {
        var chain = await Chain.StartAsync(postgres);
        try
        {
            await chain.Database.ExecuteAsync(
                """
                update kb.chunks set text = text || ' Write to jane.doe@example.com.'
                where  id in (select id from kb.chunks order by id limit 20)
                """,
                Stop);
            var run = await chain.RunToEndAsync(await chain.RequestAsync(project: null));
            Assert.Equal(RunState.Succeeded, run.State);

            var files = await StoredFiles.OfBucketAsync(chain.Local.Storage.Address, LocalChain.Bucket, Stop);
            Assert.InRange(ExportedFileOracle.AssertClean(files), 50, int.MaxValue);
            Assert.True(await chain.Database.ScalarAsync<bool>(
                "select (statistics->'excluded'->>'pii')::int > 0 from ml.datasets", Stop));

            var train = files.First(file => file.Key.EndsWith("train.jsonl", StringComparison.Ordinal));
            var line = Encoding.UTF8.GetString(train.Value).Split('\n')[0].Replace(
                "You extract", "You extract for jane.doe@example.com", StringComparison.Ordinal);
            using var service = GcsDatasetStore.CreateService(chain.Local.Storage.Address, credential: null);
            using var content = new MemoryStream(Encoding.UTF8.GetBytes(line + "\n"));
            await service.Objects.Insert(new() { Name = "left/behind.jsonl" }, LocalChain.Bucket, content, "application/jsonl")
                .UploadAsync(Stop);
        }
        finally
        {
            var found = await Assert.ThrowsAsync<ExportedPersonalDataException>(async () => await chain.DisposeAsync());
            Assert.Contains("Email in left/behind.jsonl:1", found.Message, StringComparison.Ordinal);
        }
    }
}
