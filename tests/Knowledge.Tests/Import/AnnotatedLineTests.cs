using System.Text.Json.Nodes;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Knowledge.Import;

/// <summary>Lines without entities, of which the file may say that nothing is to be found in their text.</summary>
public sealed class AnnotatedLineTests(PostgresFixture postgres) : ImportTestBase(postgres)
{
    private static readonly ImportOptions Annotated = new() { IsAnnotated = true };

    [Fact]
    public async Task A_declared_line_becomes_a_completed_extraction_that_is_confirmed_as_empty()
    {
        var report = await ImportAsync(Empty("d1#0", isAnnotated: true), SampleLine.Create("d1#1"));

        Assert.Equal((2, 1), (report.Added, report.NothingToFind));
        Assert.Matches(
            @"^completed\|0\|d1#0\|import:import-reviewer-[123]\|2026-03-01 12:00:00\+00\|t$",
            await ScalarAsync<string>(
                """
                select concat_ws('|', j.status, j.objects_created, c.metadata->>'externalId', e.confirmed_by, e.confirmed_at,
                                 exists (select from core.user_profiles p where 'import:' || p.zitadel_user_id = e.confirmed_by))
                from   ml.confirmed_empty e
                join   kb.object_extraction_jobs j on j.id = e.job_id and j.project_id = e.project_id
                join   kb.projects p on p.id = e.project_id and p.organization_id = e.organization_id
                join   kb.chunks c on c.id = j.chunk_id
                """));
    }

    [Theory]
    [InlineData(null, false, false)]
    [InlineData(null, true, true)]
    [InlineData(true, false, true)]
    [InlineData(false, true, false)]
    public async Task A_lines_own_word_comes_before_the_files(bool? ofLine, bool ofFile, bool isConfirmed)
    {
        var report = await ImportAsync(new ImportOptions { IsAnnotated = ofFile }, Empty("d1#0", ofLine));

        Assert.Equal((1, isConfirmed ? 1 : 0), (report.Added, report.NothingToFind));
        Assert.Equal(isConfirmed ? 1 : 0, await ConfirmedAsync());
        Assert.Equal(1, await ScalarAsync<long>("select count(*) from kb.object_extraction_jobs where status = 'completed'"));
    }

    [Fact]
    public async Task A_line_with_entities_is_never_empty()
    {
        var line = SampleLine.Create();
        line["annotated"] = true;

        var report = await ImportAsync(Annotated, line);

        Assert.Equal((0, 0), (report.NothingToFind, await ConfirmedAsync()));
    }

    [Fact]
    public async Task Importing_again_changes_nothing_and_brings_back_nothing_that_was_withdrawn()
    {
        await ImportAsync(Annotated, Empty("d1#0", null), Empty("d2#0", null, "d2"));
        var before = await ScalarAsync<string>(Confirmed);
        var again = await ImportAsync(Annotated, Empty("d1#0", null), Empty("d2#0", null, "d2"));
        Assert.Equal((2, 0, before), (again.Unchanged, again.NothingToFind, await ScalarAsync<string>(Confirmed)));
        await Database.ExecuteAsync("delete from ml.confirmed_empty", Cancellation);

        await ImportAsync(Annotated, Empty("d1#0", null), Empty("d2#0", null, "d2"));

        Assert.Equal(0, await ConfirmedAsync());
    }

    [Fact]
    public async Task A_line_that_is_declared_later_is_another_line()
    {
        await ImportAsync(Empty("d1#0", null));

        var report = await ImportAsync(Annotated, Empty("d1#0", null));

        Assert.Equal((1, 0), (report.Different, report.NothingToFind));
        Assert.Equal(0, await ConfirmedAsync());
    }

    [Fact]
    public async Task The_declaration_does_not_change_what_other_lines_are()
    {
        await ImportAsync(SampleLine.Create());

        Assert.Equal(1, (await ImportAsync(Annotated, SampleLine.Create())).Unchanged);
    }

    [Theory]
    [InlineData("\"yes\"")]
    [InlineData("1")]
    [InlineData("{}")]
    public async Task Anything_but_true_and_false_is_refused(string value)
    {
        var line = Empty("d1#0", null);
        line["annotated"] = JsonNode.Parse(value);

        var report = await ImportAsync(line);

        Assert.Equal("annotated must be true or false", Assert.Single(report.BrokenLines).Reason);
    }

    private const string Confirmed = "select json_agg(e order by job_id)::text from ml.confirmed_empty e";

    private Task<long> ConfirmedAsync() => ScalarAsync<long>("select count(*) from ml.confirmed_empty");

    private static JsonObject Empty(string chunkId, bool? isAnnotated, string documentId = "d1")
    {
        var line = SampleLine.Create(chunkId, documentId);
        line["entities"] = new JsonArray();
        line["relationships"] = new JsonArray();
        if (isAnnotated is { } declared)
        {
            line["annotated"] = declared;
        }

        return line;
    }
}
