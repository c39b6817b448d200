using FeedbackLoop.Lineage;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Export.Tests.Forgetting;

/// <summary>The list of places that keep text, against what there is.</summary>
public sealed class KeptTextTests(PostgresFixture postgres)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_column_that_could_keep_text_is_spoken_of()
    {
        await using var database = await postgres.CreateDatabaseAsync(Stop);
        var columns = await database.ScalarAsync<string[]>(
            """
            select array_agg(c.relname || '.' || a.attname order by c.relname, a.attname)
            from   pg_attribute a
            join   pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p', 'm', 'f')
            join   pg_type t on t.oid = a.atttypid
            left   join pg_type e on e.oid = t.typelem and t.typcategory = 'A'
            where  c.relnamespace = 'ml'::regnamespace
            and    c.relname <> 'migrations'
            and    a.attnum > 0
            and    not a.attisdropped
            and    coalesce(e.typname, t.typname) not in ('uuid', 'int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'bool',
                                                          'date', 'timestamptz', 'interval')
            """,
            Stop);

        var spoken = KeptText.Columns.SelectMany(table => table.Value.Keys.Select(column => $"{table.Key}.{column}"));

        // Missing here: say in KeptText what a forgetting does about the column. Missing there: the column is gone.
        Assert.Equal(columns, spoken.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_file_that_a_run_stores_is_spoken_of()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        await world.ExportAsync(world.Organization, ForgettingWorld.ValidationSeed, ForgettingWorld.TestShare);
        await world.TrainAsync(world.Project, seed: ForgettingWorld.ValidationSeed);

        var kinds = (await world.ReadAllAsync()).Keys.Select(name => name.Split('/')[^1]).Distinct().Order(StringComparer.Ordinal);

        Assert.Equal(KeptText.Files.Keys.Order(StringComparer.Ordinal), kinds);
    }
}
