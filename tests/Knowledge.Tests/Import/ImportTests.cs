using FeedbackLoop.Testing;

namespace FeedbackLoop.Knowledge.Import;

public class ImportTests(PostgresFixture postgres) : ImportTestBase(postgres)
{
    [Fact]
    public async Task A_line_becomes_a_document_a_chunk_a_job_objects_and_relationships()
    {
        var report = await ImportAsync(SampleLine.Create());

        Assert.Equal(
            (1, 1, 1, 2, 1),
            (report.Added, report.Projects, report.Documents, report.Objects, report.Relationships));
        Assert.Equal(
            "Halvorsund|banking|Title of d1|d1|0|d1#0|completed|document|2|1",
            await ScalarAsync<string>(
                """
                select concat_ws('|', o.name, p.name, d.filename, d.metadata ->> 'externalId', c.chunk_index,
                                 c.metadata ->> 'externalId', j.status, j.source_type, j.objects_created,
                                 j.relationships_created)
                from   kb.object_extraction_jobs j
                join   kb.chunks c on c.id = j.chunk_id and c.deleted_at is null
                join   kb.documents d on d.id = c.document_id and d.id = j.document_id and d.id::text = j.source_id
                join   kb.projects p on p.id = d.project_id and p.id = j.project_id
                join   kb.orgs o on o.id = p.organization_id
                """));
    }

    [Fact]
    public async Task An_object_knows_its_job_its_chunk_and_its_review()
    {
        var line = SampleLine.Create();
        line.Entity()["review"] = "reviewed";
        line.Entity(1)["review"] = "pending";

        await ImportAsync(line);

        Assert.Equal(
            "System|SYS-1|accepted|1|agent|f||Import Reviewer|2026-03-01 12:00:00+00 "
            + "Technology|draft|1|agent|t|requires_review",
            await ScalarAsync<string>(
                """
                select string_agg(concat_ws('|', o.type, o.key, o.status, o.version, o.actor_type, o.needs_review,
                                            array_to_string(o.labels, ','), left(u.display_name, 15), o.reviewed_at),
                                  ' ' order by o.type)
                from   kb.graph_objects o
                join   kb.object_extraction_jobs j on j.id = o.extraction_job_id
                join   kb.object_chunks l on l.object_id = o.id and l.chunk_id = j.chunk_id and l.extraction_job_id = j.id
                left   join core.user_profiles u on u.id = o.reviewed_by
                where  o.canonical_id is not null and o.branch_id is null and o.supersedes_id is null
                """));
    }

    [Fact]
    public async Task A_relationship_joins_canonical_objects()
    {
        await ImportAsync(SampleLine.Create());

        Assert.Equal(
            "Ledger Core|stored in|PostgreSQL|The journal is stored there.",
            await ScalarAsync<string>(
                """
                select concat_ws('|', s.properties ->> 'name', r.type, t.properties ->> 'name', r.properties ->> 'description')
                from   kb.graph_relationships r
                join   kb.graph_objects s on s.canonical_id = r.src_id
                join   kb.graph_objects t on t.canonical_id = r.dst_id
                """));
    }

    [Fact]
    public async Task Types_and_projects_have_one_form_and_one_project_has_any_case()
    {
        var (first, second) = (SampleLine.Create("d1#0"), SampleLine.Create("d2#0", "d2", "Socie\u0301te\u0301 \n bank"));
        first["project"] = " soci\u00E9t\u00E9 bank";
        first.Entity()["type"] = "System \n";
        first.Entity(1)["type"] = " Data \t store";
        first.Relationship()["type"] = "stored\nin ";

        var report = await ImportAsync(first, second);

        Assert.Equal((2, 1), (report.Added, report.Projects));
        Assert.Equal("soci\u00E9t\u00E9 bank", await ScalarAsync<string>("select string_agg(name, '|') from kb.projects"));
        Assert.Equal(
            "Data store|System|System|Technology",
            await ScalarAsync<string>("""select string_agg(type, '|' order by type collate "C") from kb.graph_objects"""));
        Assert.Equal("stored in", await ScalarAsync<string>("select string_agg(distinct type, '|') from kb.graph_relationships"));
    }

    [Fact]
    public async Task A_project_with_a_registry_gets_its_spelling_of_a_type()
    {
        await ImportAsync(SampleLine.Create());
        var registry = await ScalarAsync<string>(
            """
            select coalesce(to_regclass('kb.project_object_schema_registry'), to_regclass('kb.project_object_type_registry'))::text
            """);
        await Database.ExecuteAsync(
            $"""
            insert into {registry} (project_id, type_name, source, json_schema, enabled)
            select id, 'SYSTEM', 'custom', '{"{}"}', true from kb.projects
            """,
            Cancellation);

        await ImportAsync(SampleLine.Create("d2#0", "d2", "Banking"));

        Assert.Equal(
            "SYSTEM|System|Technology|Technology",
            await ScalarAsync<string>("""select string_agg(type, '|' order by type collate "C") from kb.graph_objects"""));
    }

    [Fact]
    public async Task Importing_the_same_lines_again_changes_nothing()
    {
        await ImportAsync(Lines);
        var before = await SnapshotAsync();

        var report = await ImportAsync(new ImportOptions { Seed = 99, LinesPerBatch = 7 }, Lines);

        Assert.Equal((0, 60, 0, 0), (report.Added, report.Unchanged, report.Different, report.Objects));
        Assert.Equal(before, await SnapshotAsync());
    }

    [Fact]
    public async Task Two_imports_at_once_make_what_one_makes()
    {
        var options = new ImportOptions { LinesPerBatch = 3 };

        var reports = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => ImportAsync(options, Lines)));

        Assert.Equal((60, 180), (reports.Sum(r => r.Added), reports.Sum(r => r.Unchanged)));
        Assert.Equal(120, await ScalarAsync<long>("select count(*) from kb.graph_objects"));
        Assert.Equal(1, await ScalarAsync<long>("select count(*) from kb.orgs"));
        Assert.Equal(2, await ScalarAsync<long>("select count(*) from kb.projects"));
        Assert.Equal(
            60, await ScalarAsync<long>("select count(*) from (select distinct document_id, chunk_index from kb.chunks) c"));
    }

    [Fact]
    public async Task The_size_of_a_batch_does_not_show()
    {
        await ImportAsync(new ImportOptions { LinesPerBatch = 1 }, Lines);
        var one = await SnapshotAsync();
        await Database.ExecuteAsync("truncate kb.orgs, kb.graph_relationships, core.user_profiles cascade", Cancellation);

        await ImportAsync(new ImportOptions { LinesPerBatch = 100 }, Lines);

        Assert.Equal(one, await SnapshotAsync());
    }

    [Fact]
    public async Task A_changed_line_of_a_known_chunk_is_reported_and_not_imported()
    {
        await ImportAsync(SampleLine.Create());
        var before = await SnapshotAsync();
        var changed = SampleLine.Create();
        changed.Entity()["name"] = "Ledger";

        var report = await ImportAsync(SampleLine.Create("d1#1"), changed, SampleLine.Create("d1#1"));

        Assert.Equal((1, 1, 1), (report.Added, report.Unchanged, report.Different));
        Assert.Equal(
            [new LineProblem(2, "chunk 'd1#0' is known with other content, which stays as it is")], report.DifferentLines);
        Assert.Contains(
            before.Split('\n').First(l => l.StartsWith("orgs", StringComparison.Ordinal)), await SnapshotAsync(),
            StringComparison.Ordinal);
        Assert.Equal(
            0, await ScalarAsync<long>("select count(*) from kb.graph_objects where properties ->> 'name' = 'Ledger'"));
    }

    [Fact]
    public async Task A_chunk_that_stands_twice_in_a_file_is_compared_with_the_first()
    {
        var changed = SampleLine.Create();
        changed["text"] = "Something else entirely, of some length.";

        var report = await ImportAsync(SampleLine.Create(), SampleLine.Create(), changed);

        Assert.Equal((1, 1, 1), (report.Added, report.Unchanged, report.Different));
    }

    [Fact]
    public async Task The_mixture_follows_its_seed()
    {
        var options = new ImportOptions { ReviewedShare = 0.5, RejectedShare = 0.2, Seed = 7 };
        await ImportAsync(options, Lines);
        var first = await StatusesAsync();
        await Database.ExecuteAsync("truncate kb.orgs cascade", Cancellation);

        var report = await ImportAsync(options, Lines);

        Assert.Equal(first, await StatusesAsync());
        Assert.Equal(120, report.Reviewed + report.AutoAccepted + report.Pending + report.Rejected);
        Assert.Equal(report.Pending, await ScalarAsync<long>("select count(*) from kb.graph_objects where needs_review"));
        Assert.True(report is { Reviewed: > 20, AutoAccepted: > 5, Pending: > 5, Rejected: > 2 });
    }

    [Fact]
    public async Task An_organization_that_exists_is_used()
    {
        await Database.ExecuteAsync(
            """
            insert into kb.orgs (id, name) values (gen_random_uuid(), 'Halvorsund');
            insert into kb.projects (organization_id, name) select id, 'banking' from kb.orgs;
            """,
            Cancellation);

        var report = await ImportAsync(SampleLine.Create());

        Assert.Equal(report.OrganizationId, await ScalarAsync<Guid>("select id from kb.orgs"));
        Assert.Equal(1, await ScalarAsync<long>("select count(*) from kb.projects"));
    }

    [Theory]
    [InlineData("kb.orgs", "organization 'Halvorsund'")]
    [InlineData("kb.projects", "project 'banking'")]
    public async Task What_was_deleted_in_the_product_is_not_filled_again(string table, string name)
    {
        await ImportAsync(SampleLine.Create());
        await Database.ExecuteAsync($"update {table} set deleted_at = now()", Cancellation);

        var refusal = await Assert.ThrowsAsync<ImportRefusedException>(() => ImportAsync(SampleLine.Create("d1#1")));

        Assert.Contains(name, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_document_id_in_two_projects_is_two_documents()
    {
        await ImportAsync(SampleLine.Create(project: "one"), SampleLine.Create(project: "two"));

        Assert.Equal(2, await ScalarAsync<long>("select count(*) from kb.documents"));
    }

    private Task<string> StatusesAsync() => ScalarAsync<string>(
        """
        select string_agg(concat_ws('|', c.metadata ->> 'externalId', o.type, o.status, o.extraction_confidence,
                                    o.reviewed_by), ' '
                          order by c.metadata ->> 'externalId', o.type)
        from   kb.graph_objects o
        join   kb.object_chunks l on l.object_id = o.id
        join   kb.chunks c on c.id = l.chunk_id
        """);
}
