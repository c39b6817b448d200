using FeedbackLoop.SqlMutation;

namespace FeedbackLoop.Model;

/// <summary>Which conditions the program in <c>bench/SqlMutation</c> drops.</summary>
public sealed class SqlMutantTests
{
    [Fact]
    public void Each_condition_of_a_statement_is_dropped_once()
    {
        const string sql =
            """
            select distinct r.id, case when r.a = 1 and r.b = 2 then 1 end
            from   runs r
            join   scopes s on s.id = r.scope and s.kind = 'a and b'   -- and a comment
            where  r.at between @from and @to
            and    (r.state = 'on' or (r.state = 'off' and not exists (select 1 from jobs j where j.run = r.id and j.up)))
            group  by r.id
            having count(distinct r.x) > 1
            order  by r.id
            limit  @limit
            for    update skip locked
            """;

        Assert.Equal(
            [
                "alternative (r.state = 'off' and not exists (select 1 from jobs j where j.run = r.id and j.up))",
                "alternative r.state = 'on'",
                "condition (r.state = 'on' or (r.state = 'off' and not exists (select 1 from jobs j where j.run = r.id and j.up)))",
                "condition count(distinct r.x) > 1",
                "condition j.run = r.id",
                "condition j.up",
                "condition not exists (select 1 from jobs j where j.run = r.id and j.up)",
                "condition r.at between @from and @to",
                "condition r.state = 'off'",
                "condition s.id = r.scope",
                "condition s.kind = 'a and b'",
                "distinct distinct",
                "distinct distinct",
                "limit limit @limit",
                "skip locked skip locked",
            ],
            SqlMutants.Of(new SqlLiteral("f", 1, sql))
                .Select(mutant => $"{mutant.Kind} {mutant.Dropped}")
                .Order(StringComparer.Ordinal));
    }

    [Fact]
    public void What_is_left_is_the_statement_without_it() => Assert.Equal(
        ["update t set a = 1 where true and b = @b", "update t set a = 1 where id = @id and true"],
        SqlMutants.Of(new SqlLiteral("f", 1, "update t set a = 1 where id = @id and b = @b")).Select(mutant => mutant.Text));

    [Theory]
    [InlineData("insert into t select 1 on conflict (id) do nothing")]
    [InlineData("select a is distinct from b from t join u on true")]
    public void What_is_no_condition_stays(string sql) => Assert.Empty(SqlMutants.Of(new SqlLiteral("f", 1, sql)));

    [Fact]
    public void Literals_are_read_as_the_program_sees_them()
    {
        const string source =
            """"
            // "select 1 where a"
            var one = "select \"x\" from t"; var c = '"'; var none = "";
            var two = $"{Stray} and r.id = @id"; var text = "not a statement where it matters";
            const string sql =
                $"""
                select {(all ? "*" : "id")}, {Columns}
                from   t
                """;
            """";

        Assert.Equal(
            [(2, "select \"x\" from t"), (3, "\u00010 and r.id = @id"), (5, "select \u00010, \u00011\nfrom   t")],
            CSharpLiterals.ReadSql("f", source).Select(literal => (literal.Line, literal.Text)));
    }

    /// <summary>Conditions whose loss no test noticed once; each has a test since.</summary>
    [Theory]
    [InlineData("shared/Knowledge/KnowledgeSql.cs", "condition", "nd.project_id = s.project_id")]
    [InlineData("shared/Runs/RunQueries.cs", "condition", "lease_until > clock_timestamp()")]
    [InlineData("shared/Runs/OutboxQueries.cs", "skip locked", "skip locked")]
    public void The_conditions_that_survived_by_hand_are_among_them(string file, string kind, string dropped)
    {
        var source = File.ReadAllText(Path.Combine(FindRepository(), file));

        Assert.Contains(
            CSharpLiterals.ReadSql(file, source).SelectMany(SqlMutants.Of),
            mutant => mutant.Kind == kind && mutant.Dropped == dropped);
    }

    private static string FindRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Functions.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("the tests are built within the repository");
        }

        return folder.FullName;
    }
}
