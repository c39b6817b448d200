using FeedbackLoop.Testing;

namespace FeedbackLoop.Knowledge.Import;

/// <summary>The sample that <c>./run</c> loads, with the counts of its own README.</summary>
public sealed class SampleFileTests(PostgresFixture postgres) : ImportTestBase(postgres)
{
    private static string Path { get; } =
        System.IO.Path.Combine(AppContext.BaseDirectory, "sample", "enterprise-architecture.jsonl");

    [Fact]
    public async Task The_sample_goes_in_whole_and_only_once()
    {
        var first = await ImportSampleAsync();
        var second = await ImportSampleAsync();

        Assert.Equal((276, 0, 0), (first.Added, first.Broken, first.Different));
        Assert.Equal((3, 66, 1_410, 1_026), (first.Projects, first.Documents, first.Objects, first.Relationships));
        Assert.Equal((276, 0), (second.Unchanged, second.Added));
    }

    [Fact]
    public async Task The_chunks_of_its_three_revised_documents_are_replaced()
    {
        var report = await ImportSampleAsync();

        Assert.Equal(12, report.ReplacedChunks);
        Assert.Equal(264, await ScalarAsync<long>("select count(*) from kb.chunks where deleted_at is null"));
    }

    private Task<ImportReport> ImportSampleAsync() =>
        NewImport().ImportFileAsync(Path, "Halvorsund", new ImportOptions(), progress: null, Cancellation);
}
