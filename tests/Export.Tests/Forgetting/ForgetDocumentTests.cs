using System.Security.Cryptography;
using System.Text;
using FeedbackLoop.Datasets;
using FeedbackLoop.Lineage.Forgetting;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Export.Tests.Forgetting;

/// <summary>
/// A document that is taken out of everything: what is left, what is marked, and what a kill in between leaves.
/// </summary>
public sealed class ForgetDocumentTests(PostgresFixture postgres)
{
    public static TheoryData<string> Points => [.. ForgettingPoint.All];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_stored_byte_and_no_column_has_the_document_any_more()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        await AddEverywhereAsync(world);
        Assert.NotEmpty(await world.FindWordAsync());

        var document = await world.ForgetAsync();

        Assert.True(document.IsComplete, document.WaitsFor);
        Assert.Empty(await world.FindWordAsync());
    }

    [Fact]
    public async Task What_is_left_is_byte_for_byte_what_was_there_before()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        var run = await world.ExportAsync(world.Project);
        var before = await world.FindDatasetAsync(run);
        var lines = (await world.ReadAsync(before.TrainUri)).Split('\n');

        await world.ForgetAsync();

        var after = await world.FindDatasetAsync(run);
        var content = await world.ReadAsync(after.TrainUri);
        Assert.Equal(lines.Where(line => !line.Contains(ForgettingWorld.Canary, StringComparison.Ordinal)), content.Split('\n'));
        Assert.Equal(
            (before.TrainExamples - 2, (long)Encoding.UTF8.GetByteCount(content), Hash(content)),
            (after.TrainExamples, after.TrainBytes, after.TrainSha256));
        Assert.NotEqual(before.TrainUri, after.TrainUri);
        Assert.InRange(after.EstimatedTokens, 1, before.EstimatedTokens - 1);
    }

    [Fact]
    public async Task The_statistics_are_those_of_what_is_left()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        var run = await world.ExportAsync(world.Project);
        var dataset = await world.FindDatasetAsync(run);
        var before = await MetadataAsync(world, dataset.Id);

        await world.ForgetAsync();

        var after = await MetadataAsync(world, dataset.Id);
        var now = await world.FindDatasetAsync(run);
        Assert.Equal(
            (before.Counts.Examples - 2, before.Counts.TrainExamples - 2, before.Counts.Entities - 2, 2),
            (after.Counts.Examples, after.Counts.TrainExamples, after.Counts.Entities, after.Excluded["forgotten"]));
        Assert.Equal(before.EntityTypes["System"] - 2, after.EntityTypes["System"]);
        Assert.Equal(
            new DatasetFileInfo(now.TrainExamples, now.TrainBytes, now.TrainSha256), after.Files[DatasetFiles.Train]);
        Assert.Equal(after.ToJson(), Encoding.UTF8.GetBytes(await world.ReadAsync(now.UriOf(DatasetFiles.Metadata)!)));
    }

    [Fact]
    public async Task Every_object_that_a_row_names_exists_with_its_hash()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        await AddEverywhereAsync(world);

        await world.ForgetAsync();

        var named = await world.ListAsync(
            """
            select train_uri || ' ' || train_sha256 from ml.datasets
            union all
            select validation_uri || ' ' || validation_sha256 from ml.datasets where validation_uri is not null
            union all
            select test_uri || ' ' || test_sha256 from ml.datasets where test_uri is not null
            """);
        foreach (var (uri, hash) in named.Select(line => line.Split(' ')).Select(parts => (parts[0], parts[1])))
        {
            Assert.Equal(hash, Hash(await world.ReadAsync(uri)));
        }
    }

    [Fact]
    public async Task Who_asked_and_what_was_rewritten_is_in_the_audit_log()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        await world.ExportAsync(world.Project);

        await world.ForgetAsync();

        Assert.Equal(
            [
                $"{ForgettingWorld.Actor} forget-document document {world.Document}: asked for",
                $"system:forget rewrite-dataset: document {world.Document} is forgotten: train.jsonl lost 2 of 42 examples",
            ],
            await world.ListAsync(
                """
                select actor || ' ' || action || case action when 'forget-document' then ' ' || subject else '' end || ': ' || reason
                from   ml.audit_log
                where  action in ('forget-document', 'rewrite-dataset')
                order  by id
                """));
    }

    [Fact]
    public async Task A_second_time_changes_nothing()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        await AddEverywhereAsync(world);
        await world.ForgetAsync();
        var (files, rows) = (await world.ReadAllAsync(), await DescribeAsync(world));

        var again = await world.ForgetAsync();

        Assert.True(again.IsComplete);
        Assert.Equal(files, await world.ReadAllAsync());
        Assert.Equal(rows, await DescribeAsync(world));
    }

    [Theory]
    [MemberData(nameof(Points))]
    public async Task A_process_that_dies_after_an_effect_leaves_what_a_repeat_completes(string point)
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        await AddEverywhereAsync(world);
        var deaths = 0;

        // Each next process gets one effect further before it dies.
        for (var isDead = true; isDead;)
        {
            var reached = 0;
            world.Failpoints.Handler = name =>
                name == point && reached++ == deaths ? throw new KilledException() : Task.CompletedTask;
            try
            {
                await world.ForgetAsync();
                isDead = false;
            }
            catch (KilledException)
            {
                deaths++;
            }
        }

        Assert.True(deaths > 0, $"{point} was not reached");
        Assert.Empty(await world.FindWordAsync());
        Assert.Equal(["0"], await world.ListAsync("select count(*)::text from ml.objects_to_delete"));
        Assert.Equal(
            await world.ListAsync("select train_sha256 from ml.datasets order by id"),
            await Task.WhenAll((await world.ListAsync("select train_uri from ml.datasets order by id"))
                .Select(async uri => Hash(await world.ReadAsync(uri)))));
    }

    [Fact]
    public async Task A_dataset_that_was_all_of_the_document_becomes_empty()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        var run = await world.ExportAsync(world.Project);
        await world.Database.ExecuteAsync(
            $"update ml.dataset_examples set document_id = '{world.Document}'", Stop);

        await world.ForgetAsync();

        var after = await world.FindDatasetAsync(run);
        Assert.Equal((0, 0L, Hash("")), (after.TrainExamples, after.TrainBytes, after.TrainSha256));
        Assert.Equal("", await world.ReadAsync(after.TrainUri));
        Assert.Equal(
            "train.jsonl has no example any more: its documents were forgotten", Tuning.DatasetLimits.Check(after));
    }

    [Fact]
    public async Task A_side_that_was_all_of_the_document_is_gone()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        var run = await world.ExportAsync(world.Project, ForgettingWorld.ValidationSeed);
        Assert.Equal(2, (await world.FindDatasetAsync(run)).ValidationExamples);

        await world.ForgetAsync();

        var after = await world.FindDatasetAsync(run);
        Assert.Equal((0, null), (after.ValidationExamples, after.ValidationUri));
        Assert.DoesNotContain(DatasetFiles.Validation, (await MetadataAsync(world, after.Id)).Files.Keys);
        Assert.DoesNotContain(await AllNamesAsync(world), name => name.EndsWith("validation.jsonl", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_line_that_nobody_can_read_goes_as_well()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        var run = await world.ExportAsync(world.Project);
        var dataset = await world.FindDatasetAsync(run);
        var name = DatasetUri.NameIn(world.Store, dataset.TrainUri);
        var content = await world.ReadAsync(dataset.TrainUri);
        await world.Store.EraseAsync(name, newest: null, Stop);
        await using (var file = await world.Store.CreateAsync(name, "application/jsonl", Stop))
        {
            await file.Content.WriteAsync(Encoding.UTF8.GetBytes($"{{\"of\":\"{ForgettingWorld.Canary}\"}}\n{content}"), Stop);
            await file.CommitAsync(Stop);
        }

        await world.ForgetAsync();

        Assert.Equal(dataset.TrainExamples - 2, (await world.FindDatasetAsync(run)).TrainExamples);
        Assert.Empty(await world.FindWordAsync());
    }

    [Fact]
    public async Task Files_that_the_bucket_keeps_no_more_stand_in_the_way_of_nothing()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        var run = await world.ExportAsync(world.Project);
        await world.Store.EraseAsync(
            DatasetUri.NameIn(world.Store, (await world.FindDatasetAsync(run)).TrainUri), newest: null, Stop);

        var document = await world.ForgetAsync();

        Assert.True(document.IsComplete, document.WaitsFor);
        Assert.Equal(["0"], await world.ListAsync(
            $"select count(*)::text from ml.dataset_examples where document_id = '{world.Document}'"));
    }

    [Fact]
    public async Task A_bucket_that_refuses_is_told_and_a_repeat_goes_on()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        await world.ExportAsync(world.Project);
        world.Storage.Faults.Deny("datasets");

        await Assert.ThrowsAsync<DatasetStoreException>(world.ForgetAsync);
        var told = await world.ListAsync("select waits_for from ml.forgotten_documents");
        world.Storage.Faults.Allow("datasets");

        Assert.Contains("403", Assert.Single(told), StringComparison.Ordinal);
        Assert.True((await world.ForgetAsync()).IsComplete);
        Assert.Empty(await world.FindWordAsync());
    }

    [Fact]
    public async Task A_folder_is_as_good_as_a_bucket()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        world.UseFolder();
        var run = await world.ExportAsync(world.Project);
        var before = await world.FindDatasetAsync(run);

        var document = await world.ForgetAsync();

        Assert.True(document.IsComplete, document.WaitsFor);
        Assert.Empty(await world.FindWordAsync());
        var after = await world.FindDatasetAsync(run);
        Assert.Equal(before.TrainExamples - 2, after.TrainExamples);
        Assert.Equal(after.TrainSha256, Hash(await world.ReadAsync(after.TrainUri)));
    }

    /// <summary>
    /// In train, validation and test of several datasets, in the copy of a tuning job, in an answer that could not be
    /// read, and in a file that an export left when it died.
    /// </summary>
    private static async Task AddEverywhereAsync(ForgettingWorld world)
    {
        await world.ExportAsync(world.Project);
        await world.ExportAsync(world.Project, ForgettingWorld.ValidationSeed);
        await world.ExportAsync(world.Organization, ForgettingWorld.TrainSeed, ForgettingWorld.TestShare);
        var trained = await world.TrainAsync(world.Project);
        var splits = await world.ListAsync(
            $"select distinct split from ml.dataset_examples where document_id = '{world.Document}' order by 1");
        Assert.Equal(["test", "train", "validation"], splits);

        var folder = DatasetUri.NameIn(world.Store, (await world.FindDatasetAsync(trained)).Uri);
        await using (var file = await world.Store.CreateAsync(folder + "dead/train.jsonl", "application/jsonl", Stop))
        {
            await file.Content.WriteAsync(Encoding.UTF8.GetBytes($"{ForgettingWorld.Canary}\n"), Stop);
            await file.CommitAsync(Stop);
        }

        await world.ArrangeAsync(
            $"""
            insert into ml.extraction_results (
                id, organization_id, project_id, job_id, chosen_tier, chosen_reason, answered_tier, prompt_hash, latency_ms, is_valid,
                problem, created_at)
            select gen_random_uuid(), '{world.Organization.OrganizationId}', '{world.Project.ProjectId}', id, 'base', 'only one',
                   'base', repeat('0', 64), 1, false, 'no JSON: The {ForgettingWorld.Canary} is', now()
            from   kb.object_extraction_jobs
            where  chunk_id = '{world.Chunk}'
            """);
    }

    private static async Task<DatasetMetadata> MetadataAsync(ForgettingWorld world, Guid dataset)
    {
        await using var db = await world.Database.Admin.OpenConnectionAsync(Stop);
        return await db.GetMetadataAsync(dataset, Stop);
    }

    private static async Task<IEnumerable<string>> AllNamesAsync(ForgettingWorld world) => (await world.ReadAllAsync()).Keys;

    private static Task<IReadOnlyList<string>> DescribeAsync(ForgettingWorld world) => world.ListAsync(
        """
        select t::text from ml.datasets t
        union all select t::text from ml.audit_log t
        union all select t::text from ml.model_taints t
        union all select t::text from ml.forgotten_documents t
        order by 1
        """);

    private static string Hash(string content) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content)));

    private sealed class KilledException : Exception;
}
