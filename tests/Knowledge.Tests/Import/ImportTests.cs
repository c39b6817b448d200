using FeedbackLoop.Testing;

namespace FeedbackLoop.Knowledge.Import;

public sealed class ImportTests(PostgresFixture postgres) : ImportTestBase(postgres)
{
    [Fact]
    public async Task A_line_becomes_a_document_a_chunk_a_job_objects_and_relationships()
    {
        var report = await ImportAsync(SampleLine.Create());

        Assert.Equal((1, 1, 1, 2, 1), (report.Added, report.Projects, report.Documents, report.Objects, report.Relationships));
        Assert.Equal(
            "Halvorsund|banking|Title of d1|d1|0|d1#0|completed|document|2|1",
            await ScalarAsync<string>(
                """
                select concat_ws('|', o.name, p.name, d.filename, d.metadata ->> 'externalId', c.chunk_index,
                                 c.metadata ->> 'externalId', j.status, j.source_type, j.objects_created,
                                 j.relationships_created)
                from   kb.object_extraction_jobs j
                join   kb.chunks c on c.id = j.chunk_id
                join   kb.documents d on d.id = c.document_id and d.id = j.document_id and d.id::text = j.source_id
                join   kb.projects p on p.id = d.project_id and p.id = j.project_id
                join   kb.orgs o on o.id = p.organization_id
                """));
    }

    [Fact]
    public async Task Importing_the_same_lines_again_changes_nothing()
    {
        var lines = Enumerable.Range(0, 25).Select(i => SampleLine.Create($"d{i % 5}#{i}", $"d{i % 5}")).ToArray();
        await ImportAsync(lines);
        var before = await SnapshotAsync();

        var report = await ImportAsync(new ImportOptions { Seed = 99 }, lines);

        Assert.Equal((0, 25, 0), (report.Added, report.Unchanged, report.Different));
        Assert.Equal(before, await SnapshotAsync());
    }
}
