using System.Globalization;
using FeedbackLoop.Testing;
using Npgsql;

namespace FeedbackLoop.Statistics.Tests;

/// <summary>Folds beside the product's own transactions, and beside each other.</summary>
public sealed class ConcurrencyTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const int Writers = 4;
    private const int ChangesOfEach = 120;

    private CountedProjectWorld _world = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _world = await CountedProjectWorld.CreateAsync(postgres);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    /// <summary>The log's rows become visible with the rows that they stand for, in any order and at any moment.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task Whatever_is_changed_while_folds_run_is_counted_exactly_in_the_end(int seed)
    {
        var chaos = await Chaos.CreateAsync(_world, seed);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var folders = Enumerable.Range(0, 2).Select(n => FoldUntilAsync(chaos, n, ended.Token)).ToList();
        var writers = Enumerable.Range(0, Writers).Select(n => chaos.WriteAsync(new Random(seed * 100 + n), ChangesOfEach, Stop));

        await Task.WhenAll(writers);
        await ended.CancelAsync();
        var folds = (await Task.WhenAll(folders)).Sum();

        Assert.True(folds > 20, $"only {folds} folds ran beside the changes");
        await _world.AssertExactAsync(chaos.Projects[0]);
        await _world.AssertExactAsync(chaos.Projects[1]);
        await AssertNothingIsStaleAsync(chaos);
    }

    [Fact]
    public async Task A_change_that_commits_after_a_later_one_was_folded_is_not_lost()
    {
        await using var slow = await _world.Database.Database.OpenConnectionAsync(Stop);
        await using var uncommitted = await slow.BeginTransactionAsync(Stop);
        await using (var insert = new NpgsqlCommand(
            $"""
            insert into kb.graph_objects (project_id, type, canonical_id, reviewed_by)
            values ('{_world.Project}', 'Slow', gen_random_uuid(), gen_random_uuid())
            """,
            slow))
        {
            await insert.ExecuteNonQueryAsync(Stop);
        }

        await _world.AddAsync(new());
        Assert.Equal(1, (await _world.ReadAsync()).Verified);

        await uncommitted.CommitAsync(Stop);
        Assert.Equal(2, (await _world.ReadExactAsync()).Verified);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20_000)]
    public async Task A_first_count_waits_for_nobody_and_misses_nothing(int fewRows)
    {
        var project = await _world.Rows.AddProjectAsync(_world.Organization);
        await _world.Rows.AddObjectAsync(project, new());
        await using var slow = await _world.Database.Database.OpenConnectionAsync(Stop);
        await using var uncommitted = await slow.BeginTransactionAsync(Stop);
        await using (var update = new NpgsqlCommand(
            $"update kb.graph_objects set status = 'rejected' where project_id = '{project}'", slow))
        {
            await update.ExecuteNonQueryAsync(Stop);
        }

        await new StatisticsFold(_world.Database.Database, CountingRules.Default) { FewRows = fewRows }.FoldAsync(project, 1, Stop);
        await _world.AssertExactAsync(project);

        await uncommitted.CommitAsync(Stop);
        await _world.AssertExactAsync(project);
    }

    [Fact]
    public async Task The_product_never_waits_for_a_fold()
    {
        await _world.AddAsync(new());
        await _world.ReadAsync();
        await using var folding = await _world.Database.Database.OpenConnectionAsync(Stop);
        await using var uncommitted = await folding.BeginTransactionAsync(Stop);
        await folding.LockCountedProjectAsync(_world.Project, Stop);
        await folding.TakeChangesAsync(_world.Project, 100, Stop);

        await _world.ExecuteAsync("set lock_timeout = '2s'; update kb.graph_objects set status = 'rejected'");
        await _world.ExecuteAsync("set lock_timeout = '2s'; update kb.projects set name = 'other'");
        await _world.ExecuteAsync("set lock_timeout = '2s'; delete from kb.graph_objects");
    }

    [Fact]
    public async Task A_fold_that_dies_leaves_the_counts_and_the_log_as_they_were()
    {
        await _world.AddAsync(new());
        await _world.ReadAsync();
        await _world.AddAsync(new());
        await _world.ExecuteAsync(
            """
            create function public.die() returns trigger language plpgsql as 'begin raise exception ''struck''; end';
            create trigger die before insert or update on ml.counted_extractions for each row execute function public.die()
            """);
        var before = await StateAsync();

        await Assert.ThrowsAsync<PostgresException>(() => _world.Fold.FoldAsync(_world.Project, 100, Stop));

        Assert.Equal(before, await StateAsync());
        await _world.ExecuteAsync("drop trigger die on ml.counted_extractions");
        Assert.Equal(2, (await _world.ReadExactAsync()).Verified);
    }

    [Fact]
    public async Task A_cancelled_fold_leaves_the_counts_and_the_log_as_they_were()
    {
        await _world.AddAsync(new());
        var before = await StateAsync();
        await using var other = await _world.Database.Database.OpenConnectionAsync(Stop);
        await using var holding = await other.BeginTransactionAsync(Stop);
        await other.LockCountedProjectAsync(_world.Project, Stop);
        using var cancel = new CancellationTokenSource();

        var fold = _world.Fold.FoldAsync(_world.Project, 100, cancel.Token);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fold);
        Assert.Equal(before, await StateAsync());
    }

    [Fact]
    public async Task A_reading_that_may_not_fold_all_says_how_much_is_left()
    {
        await _world.ExecuteAsync(
            $"""
            insert into kb.graph_objects (project_id, type, canonical_id, extraction_job_id, reviewed_by)
            select '{_world.Project}', 'System', gen_random_uuid(), '{_world.Job}', gen_random_uuid()
            from   generate_series(1, {StatisticsReader.FoldLimit + 5_000})
            """);
        // As the server's autovacuum does a minute after so many rows: without it the plans are those of empty tables.
        await _world.ExecuteAsync("analyze");

        var first = await _world.ReadAsync();
        var second = await _world.ReadAsync();

        Assert.Equal((StatisticsReader.FoldLimit, 5_000), (first.Verified, first.PendingChanges));
        Assert.Equal((StatisticsReader.FoldLimit + 5_000, 0), (second.Verified, second.PendingChanges));
    }

    private async Task<int> FoldUntilAsync(Chaos chaos, int number, CancellationToken ended)
    {
        var folds = 0;
        try
        {
            for (var random = new Random(number); ; folds++)
            {
                await _world.Fold.FoldAsync(chaos.Projects[random.Next(2)], random.Next(1, 20), ended);
            }
        }
        catch (OperationCanceledException)
        {
            return folds;
        }
    }

    // What is counted of each object and extraction, not only their sums, equals a count from nothing.
    private async Task AssertNothingIsStaleAsync(Chaos chaos)
    {
        const string objects =
            "select coalesce(string_agg(o::text, E'\\n' order by canonical_id, project_id), '') from ml.counted_objects o";
        const string extractions =
            """
            select coalesce(string_agg(concat_ws(' ', project_id, job_id, chunk_id, document_id, usable_to, decided_to),
                            E'\n' order by project_id, job_id, chunk_id), '')
            from   ml.counted_extractions
            """;
        var folded = await _world.Database.ScalarAsync<string>(objects, Stop);
        var foldedExtractions = await _world.Database.ScalarAsync<string>(extractions, Stop);
        await _world.ExecuteAsync("update ml.counted_projects set rules = null");
        var whole = new StatisticsFold(_world.Database.Database, CountingRules.Default) { FewRows = 0 };
        foreach (var project in chaos.Projects)
        {
            await whole.FoldAsync(project, 1, Stop);
        }

        Assert.NotEmpty(folded);
        Assert.Equal(await _world.Database.ScalarAsync<string>(objects, Stop), folded);
        Assert.Equal(await _world.Database.ScalarAsync<string>(extractions, Stop), foldedExtractions);
        Assert.Equal(
            0,
            await _world.Database.ScalarAsync<long>(
                "select (select count(*) from ml.object_counts where count <= 0) "
                + "+ (select count(*) from ml.extraction_counts where usable < 0 or decided < 0)",
                Stop));
    }

    private Task<string> StateAsync() => _world.Database.ScalarAsync<string>(
        """
        select concat_ws(E'\n',
            (select string_agg(x::text, ';' order by x::text) from ml.knowledge_changes x),
            (select string_agg(x::text, ';' order by x::text) from ml.counted_projects x),
            (select string_agg(x::text, ';' order by x::text) from ml.counted_objects x),
            (select string_agg(x::text, ';' order by x::text) from ml.counted_extractions x),
            (select string_agg(x::text, ';' order by x::text) from ml.object_counts x),
            (select string_agg(x::text, ';' order by x::text) from ml.extraction_counts x))
        """,
        Stop);

    /// <summary>Two projects, few objects, and every kind of change to them.</summary>
    private sealed class Chaos(CountedProjectWorld world, Guid[] projects, Guid[] documents, Guid[] chunks, Guid[] jobs)
    {
        private readonly Guid[] _canonicals = [.. Enumerable.Range(1, 25).Select(n => new Guid(n, 0, 0, new byte[8]))];

        public Guid[] Projects => projects;

        public static async Task<Chaos> CreateAsync(CountedProjectWorld world, int seed)
        {
            var random = new Random(seed);
            Guid[] projects = [world.Project, await world.Rows.AddProjectAsync(world.Organization)];
            List<Guid> documents = [], chunks = [], jobs = [];
            foreach (var project in projects)
            {
                for (var i = 0; i < 3; i++)
                {
                    documents.Add(await world.Rows.AddDocumentAsync(project));
                    chunks.Add(await world.Rows.AddChunkAsync(documents[^1], $"Part {i}."));
                    jobs.Add(await world.Rows.AddJobAsync(project, chunks[^1]));
                    jobs.Add(await world.Rows.AddJobAsync(project, documentId: documents[^1]));
                    jobs.Add(await world.Rows.AddJobAsync(project));
                }
            }

            // One project is counted whole while the changes run.
            return new Chaos(world, random.Next(2) == 0 ? projects : [.. projects.Reverse()], [.. documents], [.. chunks], [.. jobs]);
        }

        public async Task WriteAsync(Random random, int changes, CancellationToken cancellationToken)
        {
            await using var db = await world.Database.Database.OpenConnectionAsync(cancellationToken);
            for (var i = 0; i < changes; i++)
            {
                await using var transaction = await db.BeginTransactionAsync(cancellationToken);
                try
                {
                    for (var n = random.Next(1, 4); n > 0; n--)
                    {
                        await using var command = new NpgsqlCommand(Statement(random), db);
                        await command.ExecuteNonQueryAsync(cancellationToken);
                        await Task.Delay(random.Next(0, 4), cancellationToken);
                    }

                    if (random.Next(10) == 0)
                    {
                        await transaction.RollbackAsync(cancellationToken);
                    }
                    else
                    {
                        await transaction.CommitAsync(cancellationToken);
                    }
                }
                catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.DeadlockDetected
                    or PostgresErrorCodes.ForeignKeyViolation or PostgresErrorCodes.UniqueViolation)
                {
                    // The writers hinder each other; a transaction that did not happen is as good as another.
                    await transaction.RollbackAsync(cancellationToken);
                }
            }
        }

        private string Statement(Random random)
        {
            var canonical = Pick(random, _canonicals);
            var project = Pick(random, projects);
            var row = $"id in (select id from kb.graph_objects where canonical_id = '{canonical}' order by random() limit 1)";
            return random.Next(28) switch
            {
                < 5 => Insert(random, canonical, project),
                5 => $"update kb.graph_objects set status = {Any(random, "'rejected'", "'accepted'", "null")} where canonical_id = '{canonical}'",
                6 => $"update kb.graph_objects set reviewed_by = {Any(random, "null", "gen_random_uuid()")} where {row}",
                7 => $"update kb.graph_objects set extraction_confidence = {Any(random, "null", Confidence(random))} where {row}",
                8 => $"update kb.graph_objects set type = {Any(random, "'A'", "'B'", "'C'")} where canonical_id = '{canonical}'",
                9 => $"update kb.graph_objects set properties = {Properties(random)} where {row}",
                10 => $"update kb.graph_objects set deleted_at = {Any(random, "null", "now()")} where {row}",
                11 => $"update kb.graph_objects set branch_id = {Any(random, "null", "gen_random_uuid()")} where {row}",
                12 => $"update kb.graph_objects set extraction_job_id = {Any(random, "null", $"'{Pick(random, jobs)}'")} where {row}",
                13 => $"update kb.graph_objects set canonical_id = '{Pick(random, _canonicals)}' where {row}",
                14 => $"update kb.graph_objects set version = version + {random.Next(-1, 3)} where {row}",
                15 => $"delete from kb.graph_objects where {row}",
                16 => $"update kb.graph_objects o set project_id = '{project}' where {row} "
                    + "and not exists (select 1 from kb.object_chunks e where e.object_id = o.id)",
                17 => $"update kb.object_extraction_jobs set chunk_id = {Any(random, "null", $"'{Pick(random, chunks)}'")} where id = '{Pick(random, jobs)}'",
                18 => $"insert into kb.chunks (id, document_id, chunk_index, text) values ('{Pick(random, chunks)}', '{Pick(random, documents)}', {random.Next(1_000_000)}, 'text') on conflict do nothing",
                19 => $"delete from kb.chunks where id = '{Pick(random, chunks)}'",
                20 => $"update kb.graph_objects set reviewed_by = null, extraction_confidence = {Confidence(random)} where project_id = '{project}' and type = 'A'",
                21 => $"update kb.graph_objects set needs_review = {Any(random, "null", "true", "false")} where {row}",
                22 => $"update kb.graph_objects set labels = {Any(random, "'{}'", "'{requires_review}'", "'{a}'")} where {row}",
                23 => $"update kb.graph_objects set actor_type = {Any(random, "'user'", "'agent'", "null")} where {row}",
                24 => $"update kb.object_extraction_jobs set status = {Any(random, "'running'", "'completed'", "'requires_review'")} where id = '{Pick(random, jobs)}'",
                25 => $"delete from ml.confirmed_empty where job_id = '{Pick(random, jobs)}'",
                26 => $"insert into ml.confirmed_empty select j.id, p.organization_id, p.id, 'somebody', now() from kb.object_extraction_jobs j join kb.projects p on p.id = j.project_id where j.id = '{Pick(random, jobs)}' on conflict do nothing",
                _ => $"update kb.object_extraction_jobs set source_type = 'document', document_id = '{Pick(random, documents)}' where id = '{Pick(random, jobs)}'",
            };
        }

        private string Insert(Random random, Guid canonical, Guid project) =>
            $"""
            insert into kb.graph_objects (
                project_id, type, canonical_id, version, status, reviewed_by, extraction_confidence, actor_type,
                needs_review, labels, extraction_job_id, branch_id, deleted_at, properties)
            values (
                '{project}', {Any(random, "'A'", "'B'")}, '{canonical}', {random.Next(1, 9)},
                {Any(random, "'rejected'", "'accepted'", "'suggested'")}, {Any(random, "null", "gen_random_uuid()")},
                {Any(random, "null", Confidence(random))}, {Any(random, "'user'", "'agent'", "'system'")},
                {Any(random, "null", "false", "false", "true")}, {Any(random, "'{}'", "'{}'", "'{requires_review}'")},
                {Any(random, "null", $"'{Pick(random, jobs)}'", $"'{Pick(random, jobs)}'")},
                {Any(random, "null", "null", "gen_random_uuid()")}, {Any(random, "null", "null", "now()")},
                {Properties(random)})
            """;

        private string Properties(Random random) => Any(
            random,
            """'{"name": "n", "description": "It is long enough to count."}'""",
            """'{"name": "n", "description": "short"}'""",
            $$"""'{"name": "n", "description": "It is long enough to count.", "_extraction_job_id": "{{Pick(random, jobs)}}", "_extraction_confidence": 0.9}'""");

        private static string Confidence(Random random) =>
            (random.Next(0, 101) / 100.0).ToString(CultureInfo.InvariantCulture);

        private static string Any(Random random, params string[] values) => values[random.Next(values.Length)];

        private static Guid Pick(Random random, Guid[] ids) => ids[random.Next(ids.Length)];
    }
}
