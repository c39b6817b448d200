using System.Text.Json.Nodes;
using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Knowledge.Import;

/// <summary>
/// Imports where the product allows a key once for each type of a project, and a relationship once between two objects; what
/// holds of the earlier generation holds there too.
/// </summary>
public sealed class LaterGenerationTests(PostgresFixture postgres) : ImportTests(postgres)
{
    private const string Keys =
        """
        select string_agg(
                   concat_ws('|', p.name, o.type, coalesce(o.key, '-'), coalesce(o.properties ->> 'business_key', '-')), ' '
                   order by p.name, o.created_at, o.key nulls last, o.id)
        from   kb.graph_objects o
        join   kb.projects p on p.id = o.project_id
        where  o.type = 'System'
        """;

    protected override bool IsLaterGeneration => true;

    [Fact]
    public async Task The_first_of_two_lines_with_a_key_has_it_and_the_second_carries_it()
    {
        var report = await ImportAsync(SampleLine.Create("d1#0"), SampleLine.Create("d1#1"), SampleLine.Create("d1#2"));

        Assert.Equal((3, 0, 6, 3), (report.Added, report.Broken, report.Objects, report.Relationships));
        Assert.Equal(
            "banking|System|SYS-1|- banking|System|-|SYS-1 banking|System|-|SYS-1", await ScalarAsync<string>(Keys));
    }

    [Fact]
    public async Task A_key_is_free_in_another_project_and_for_another_type()
    {
        var other = SampleLine.Create("d1#1");
        other.Entity()["type"] = "Service";

        await ImportAsync(SampleLine.Create("d1#0"), other, SampleLine.Create("d2#0", "d2", "lending"));

        Assert.Equal("banking|System|SYS-1|- lending|System|SYS-1|-", await ScalarAsync<string>(Keys));
        Assert.Equal(3, await ScalarAsync<long>("select count(*) from kb.graph_objects where key = 'SYS-1'"));
    }

    [Theory]
    [InlineData("version = 1", "an object that was never updated")]
    [InlineData("supersedes_id = gen_random_uuid(), version = 2", "one that the earlier server has updated")]
    public async Task Who_has_a_key_keeps_it(string change, string holder)
    {
        await ImportAsync(SampleLine.Create("d1#0"));
        await Database.ExecuteAsync($"update kb.graph_objects set {change}, created_at = '2026-01-01' where key = 'SYS-1'", Cancellation);

        var report = await ImportAsync(SampleLine.Create("d2#0", "d2"));

        Assert.Equal((holder, 1, 0), (holder, report.Added, report.Broken));
        Assert.Equal("banking|System|SYS-1|- banking|System|-|SYS-1", await ScalarAsync<string>(Keys));
    }

    [Theory]
    [InlineData("deleted_at = now()", "a deleted object")]
    [InlineData("supersedes_id = gen_random_uuid()", "a version that is not the current one")]
    [InlineData("branch_id = gen_random_uuid()", "an object of a branch")]
    public async Task A_key_that_no_current_object_has_is_free(string change, string holder)
    {
        await ImportAsync(SampleLine.Create("d1#0"));
        await Database.ExecuteAsync(
            $"""
            update kb.graph_objects set {change} where key = 'SYS-1';
            insert into kb.graph_objects (project_id, type, canonical_id, version)
            select project_id, type, canonical_id, 2 from kb.graph_objects where key = 'SYS-1' and supersedes_id is not null
            """,
            Cancellation);

        await ImportAsync(SampleLine.Create("d2#0", "d2"));

        Assert.Equal(
            (holder, 2), (holder, await ScalarAsync<long>("select count(*) from kb.graph_objects where key = 'SYS-1'")));
    }

    [Fact]
    public async Task A_line_whose_key_has_no_room_is_named_and_stays_out_while_the_others_go_in()
    {
        var crowded = SampleLine.Create("d1#1");
        crowded.Entity()["properties"] = new JsonObject { ["business_key"] = "OLD-7" };
        crowded.Entity(1)["businessKey"] = "T-1";
        var last = SampleLine.Create("d1#2");
        last.Entity(1)["businessKey"] = "T-1";

        // Its second entity comes first, and takes the key T-1; it must not keep it.
        var entities = crowded["entities"]!.AsArray();
        (entities[0], entities[1]) = (entities[1]!.DeepClone(), entities[0]!.DeepClone());
        var report = await ImportAsync(SampleLine.Create("d1#0"), crowded, last);

        Assert.Equal((2, 1), (report.Added, report.Broken));
        Assert.Equal(
            new LineProblem(
                2,
                "entities[1].businessKey 'SYS-1' belongs to another System already, and properties.business_key, where it "
                + "would be kept, has another value"),
            Assert.Single(report.BrokenLines));
        Assert.Equal(2, await ScalarAsync<long>("select count(*) from kb.chunks"));
        Assert.Equal(1, await ScalarAsync<long>("select count(*) from kb.graph_objects where key = 'T-1'"));
    }

    [Fact]
    public async Task A_key_that_the_product_takes_at_the_same_moment_costs_no_line()
    {
        await ImportAsync(SampleLine.Create("d9#0", "d9", "banking"));
        await Database.ExecuteAsync("update kb.graph_objects set key = 'other' where key is not null", Cancellation);
        await using var product = await Database.Admin.OpenConnectionAsync(Cancellation);
        await using var tx = await product.BeginTransactionAsync(Cancellation);
        await product.ExecuteAsync(Sql.Command(
            """
            insert into kb.graph_objects (project_id, type, key, canonical_id, created_at)
            select id, 'System', 'SYS-1', gen_random_uuid(), '2026-01-01' from kb.projects
            """,
            null, Cancellation));

        var importing = ImportAsync(SampleLine.Create("d1#0"), SampleLine.Create("d1#1"));
        await WaitForWaiterAsync(importing);
        await tx.CommitAsync(Cancellation);
        var report = await importing;

        Assert.Equal((2, 0, 4), (report.Added, report.Broken, report.Objects));
        Assert.Equal(
            2, await ScalarAsync<long>("select count(*) from kb.graph_objects where properties ->> 'business_key' = 'SYS-1'"));
    }

    [Fact]
    public async Task A_rule_of_the_product_that_a_line_breaks_names_the_line()
    {
        await Database.ExecuteAsync("create unique index one_title on kb.documents (project_id, filename)", Cancellation);
        var twin = SampleLine.Create("d2#0", "d2", "new project");
        twin["documentTitle"] = "Title of d1";

        var report = await ImportAsync(
            SampleLine.Create("d1#0", "d1", "new project"), twin, SampleLine.Create("d3#0", "d3", "new project"));

        Assert.Equal((2, 1, 1), (report.Added, report.Broken, report.Projects));
        var problem = Assert.Single(report.BrokenLines);
        Assert.Equal(2, problem.Line);
        Assert.StartsWith("the product refuses it, by 'one_title'", problem.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("deleted_at = null")]
    [InlineData("deleted_at = now()")]
    public async Task A_relationship_that_is_there_is_not_added_again(string state)
    {
        var line = SampleLine.Create();
        await ImportAsync(line);

        // The product has made a version of its own, so that ours cannot be told by its id; the chunk is gone.
        await Database.ExecuteAsync(
            $"""
            update kb.graph_relationships set id = gen_random_uuid(), version = 2, {state};
            delete from kb.chunks
            """,
            Cancellation);
        var report = await ImportAsync(line);

        Assert.Equal((1, 0, 0), (report.Added, report.Broken, report.Relationships));
        Assert.Equal(1, await ScalarAsync<long>("select count(*) from kb.graph_relationships"));
    }

    private async Task WaitForWaiterAsync(Task importing)
    {
        while (await ScalarAsync<long>(
            """
            select count(*)
            from   pg_stat_activity
            where  datname = current_database() and wait_event_type = 'Lock' and query like '%insert into kb.graph_objects%'
            """) == 0)
        {
            Assert.False(importing.IsCompleted, "the import did not wait");
            await Task.Yield();
        }
    }
}
