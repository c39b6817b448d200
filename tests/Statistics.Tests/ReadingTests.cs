using FeedbackLoop.Datasets;
using FeedbackLoop.Examples;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Pii;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Statistics.Tests;

/// <summary>What a reading says of a project and of an organization.</summary>
public sealed class ReadingTests(PostgresFixture postgres) : IAsyncLifetime
{
    private CountedProjectWorld _world = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static VerificationLevel Default => VerificationLevel.Of(new ExportCriteria());

    public async ValueTask InitializeAsync() => _world = await CountedProjectWorld.CreateAsync(postgres);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.07, 7)]
    [InlineData(0.29, 29)]
    [InlineData(0.57, 57)]
    [InlineData(0.58, 58)]
    [InlineData(0.85, 85)]
    [InlineData(1, 100)]
    [InlineData(0.855, null)]
    [InlineData(-0.01, null)]
    [InlineData(1.01, null)]
    [InlineData(double.NaN, null)]
    [InlineData(double.PositiveInfinity, null)]
    public void A_threshold_has_two_decimals_or_is_refused(double threshold, int? hundredths)
    {
        Assert.Equal(hundredths, VerificationLevel.Find(threshold)?.Value);
        var criteria = new ExportCriteria { MinConfidence = threshold };
        if (hundredths is null)
        {
            Assert.Throws<ArgumentException>(() => VerificationLevel.Of(criteria));
        }

        Assert.Equal(VerificationLevel.PersonOnly, VerificationLevel.Of(criteria with { HumanReviewedOnly = true }));
    }

    [Fact]
    public async Task A_project_that_was_never_counted_is_counted_by_its_first_reading()
    {
        var project = await _world.Rows.AddProjectAsync(_world.Organization);
        await _world.Rows.AddExamplesAsync(project, 3);

        var statistics = await ReadAsync(_world.Organization, project);

        Assert.Equal((6, 3, 0), (statistics!.Verified, statistics.ExamplesAvailable, statistics.PendingChanges));
        Assert.NotNull(statistics.CountedAt);
    }

    [Fact]
    public async Task A_project_that_was_counted_by_other_rules_is_counted_anew()
    {
        await _world.AddAsync(new());
        await _world.ReadAsync();
        await _world.ExecuteAsync(
            "update ml.counted_projects set rules = 'older'; update ml.object_counts set count = 99");

        Assert.Equal(1, (await _world.ReadExactAsync()).Verified);
    }

    [Fact]
    public async Task Nobody_reads_another_tenants_project_or_a_deleted_one()
    {
        await _world.AddAsync(new());
        var stranger = await _world.Rows.AddOrganizationAsync();

        Assert.Null(await ReadAsync(stranger, _world.Project));
        Assert.Null(await ReadAsync(_world.Organization, Guid.NewGuid()));
        Assert.Empty((await _world.Reader.ReadOrganizationAsync(stranger, Default, Stop)).Projects);
        Assert.Equal(0, await _world.Database.ScalarAsync<long>("select count(*) from ml.object_counts", Stop));

        await _world.ExecuteAsync("update kb.projects set deleted_at = now()");
        Assert.Null(await ReadAsync(_world.Organization, _world.Project));
    }

    [Fact]
    public async Task Another_tenants_chunk_makes_no_example()
    {
        var foreign = await _world.Rows.AddProjectAsync(await _world.Rows.AddOrganizationAsync());
        var chunk = await _world.Rows.AddChunkAsync(await _world.Rows.AddDocumentAsync(foreign), "SECRET");
        await _world.AddAsync(new() { JobId = await _world.Rows.AddJobAsync(_world.Project, chunk) });

        Assert.Equal(0, (await _world.ReadExactAsync()).ExamplesAvailable);
    }

    [Fact]
    public async Task Examples_are_new_when_they_changed_after_the_last_successful_training_read_its_data()
    {
        await _world.Rows.AddExamplesAsync(_world.Project, 3);
        Assert.Null((await _world.ReadAsync()).NewExamplesSinceLastTraining);

        await AddTrainingAsync(_world.Project, "succeeded", "2020-01-01");
        Assert.Equal(3, (await _world.ReadAsync()).NewExamplesSinceLastTraining);

        await AddTrainingAsync(_world.Project, "succeeded", "now");
        await AddTrainingAsync(_world.Project, "failed", "2021-01-01");
        await AddTrainingAsync(projectId: null, "succeeded", "2021-01-01");
        await AddTrainingAsync(_world.Project, "succeeded", "2021-01-01", purpose: "export");
        Assert.Equal(0, (await _world.ReadAsync()).NewExamplesSinceLastTraining);

        await _world.Rows.AddExamplesAsync(_world.Project, 2);
        Assert.Equal(2, (await _world.ReadAsync()).NewExamplesSinceLastTraining);
    }

    [Theory]
    [InlineData("""update kb.graph_objects set properties = '{"name": "n", "description": "It tells something else now."}' where reviewed_by is not null""", 1)]
    [InlineData("update kb.graph_objects set key = 'K-1' where reviewed_by is not null", 1)]
    [InlineData("update kb.graph_objects set type = 'Other' where reviewed_by is not null", 1)]
    [InlineData("update kb.graph_objects set reviewed_by = gen_random_uuid() where reviewed_by is null", 1)]
    [InlineData("update kb.graph_objects set reviewed_by = gen_random_uuid() where reviewed_by is not null", 0)]
    [InlineData("update kb.graph_objects set status = 'accepted'", 0)]
    [InlineData("""update kb.graph_objects set properties = '{"name": "other"}' where reviewed_by is null""", 0)]
    [InlineData("update kb.graph_objects set status = 'rejected'", 0)]
    public async Task An_example_is_new_when_what_it_would_say_has_changed(string change, int expected)
    {
        for (var i = 0; i < 5; i++)
        {
            await _world.AddAsync(new() { Name = $"Ledger {i}", IsReviewed = i > 0, Status = null });
        }

        await _world.ReadAsync();
        await AddTrainingAsync(_world.Project, "succeeded", "now");

        await _world.ExecuteAsync(change);

        Assert.Equal(expected, (await _world.ReadExactAsync()).NewExamplesSinceLastTraining);
    }

    [Fact]
    public async Task A_change_counts_from_its_own_time_and_not_from_that_of_its_fold()
    {
        await _world.AddAsync(new());
        await AddTrainingAsync(_world.Project, "succeeded", "now");

        Assert.Equal(0, (await _world.ReadAsync()).NewExamplesSinceLastTraining);
    }

    [Fact]
    public async Task A_change_is_no_older_than_the_fold_that_did_not_see_it_yet()
    {
        await using var slow = await _world.Database.Database.OpenConnectionAsync(Stop);
        await using var uncommitted = await slow.BeginTransactionAsync(Stop);
        await using (var insert = new Npgsql.NpgsqlCommand(
            $$"""
            insert into kb.graph_objects (project_id, type, canonical_id, reviewed_by, extraction_job_id, properties)
            values ('{{_world.Project}}', 'Slow', gen_random_uuid(), gen_random_uuid(), '{{_world.Job}}',
                    '{"name": "n", "description": "It was written before and committed after."}')
            """,
            slow))
        {
            await insert.ExecuteNonQueryAsync(Stop);
        }

        await AddTrainingAsync(_world.Project, "succeeded", "now");
        await _world.AddAsync(new() { JobId = Guid.NewGuid() });
        await _world.ReadAsync();
        await uncommitted.CommitAsync(Stop);

        Assert.Equal(1, (await _world.ReadAsync()).NewExamplesSinceLastTraining);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20_000)]
    public async Task A_first_count_takes_the_times_of_the_rows(int fewRows)
    {
        await _world.AddAsync(new());
        await AddTrainingAsync(_world.Project, "succeeded", "now");
        await _world.Rows.AddExamplesAsync(_world.Project, 2);
        await _world.ExecuteAsync("update ml.counted_projects set rules = null");
        await new StatisticsFold(_world.Database.Database, CountingRules.Default) { FewRows = fewRows }.FoldAsync(_world.Project, 1, Stop);

        var statistics = await _world.ReadExactAsync();

        Assert.Equal((3, 2L), (statistics.ExamplesAvailable, statistics.NewExamplesSinceLastTraining));
        Assert.Equal(
            new DateTimeOffset(await _world.Database.ScalarAsync<DateTime>("select max(updated_at) from kb.graph_objects", Stop)),
            statistics.LastChangeAt);
    }

    [Fact]
    public async Task The_last_change_is_the_last_that_counts()
    {
        await _world.AddAsync(new());
        var first = (await _world.ReadAsync()).LastChangeAt;
        await _world.ExecuteAsync("update kb.graph_objects set status = 'suggested'");
        var same = (await _world.ReadAsync()).LastChangeAt;
        await _world.ExecuteAsync("update kb.graph_objects set status = 'rejected'");
        var later = (await _world.ReadAsync()).LastChangeAt;

        Assert.NotNull(first);
        Assert.Equal(first, same);
        Assert.True(later > first);
    }

    [Fact]
    public async Task An_organization_is_the_sum_of_its_live_projects()
    {
        await _world.AddAsync(new() { IsReviewed = false, Confidence = 0.9 });
        await _world.AddAsync(new() { Status = "rejected" });
        var sibling = await _world.Rows.AddProjectAsync(_world.Organization);
        await _world.Rows.AddExamplesAsync(sibling, 2);
        await _world.Rows.AddObjectAsync(sibling, new() { IsReviewed = false, Actor = "agent" });
        var deleted = await _world.Rows.AddProjectAsync(_world.Organization);
        await _world.Rows.AddExamplesAsync(deleted, 3);
        await ReadAsync(_world.Organization, deleted);
        await _world.ExecuteAsync($"update kb.projects set deleted_at = now() where id = '{deleted}'");
        await _world.Rows.AddExamplesAsync(await _world.Rows.AddProjectAsync(await _world.Rows.AddOrganizationAsync()), 4);

        var statistics = await _world.Reader.ReadOrganizationAsync(_world.Organization, Default, Stop);

        Assert.Equal((5, 4, 1, 1, 1), (
            statistics.Verified, statistics.HumanReviewed, statistics.AutoAccepted, statistics.Rejected,
            statistics.Undecided));
        Assert.Equal(
            [new TypeStatistics("System", 2, 1, 1, 1), new TypeStatistics("Technology", 2, 0, 0, 0)], statistics.ByType);
        Assert.Equal((3, 0, 0), (
            statistics.ExamplesAvailable, statistics.PendingChanges, statistics.UncountedProjects));
        Assert.Equal(
            [(sibling, "project", 4L, 2L), (_world.Project, "project", 1L, 1L)],
            statistics.Projects.Select(p => (p.ProjectId, p.Name, p.Verified, p.ExamplesAvailable)));
        Assert.NotNull(statistics.LastChangeAt);
        Assert.Null(statistics.NewExamplesSinceLastTraining);
    }

    [Fact]
    public async Task An_organizations_examples_are_new_since_the_training_of_its_general_model()
    {
        await _world.Rows.AddExamplesAsync(_world.Project, 3);
        await AddTrainingAsync(projectId: null, "succeeded", "2020-01-01");
        await AddTrainingAsync(_world.Project, "succeeded", "now");
        Assert.Equal(3, (await ReadOrganizationAsync()).NewExamplesSinceLastTraining);

        await AddTrainingAsync(projectId: null, "succeeded", "now");
        Assert.Equal(0, (await ReadOrganizationAsync()).NewExamplesSinceLastTraining);

        await _world.Rows.AddExamplesAsync(await _world.Rows.AddProjectAsync(_world.Organization), 2);
        Assert.Equal(2, (await ReadOrganizationAsync()).NewExamplesSinceLastTraining);
    }

    [Fact]
    public async Task The_pace_is_that_of_the_last_fourteen_days_at_the_threshold()
    {
        await _world.Rows.AddExamplesAsync(_world.Project, 28);
        await _world.AddAsync(new() { IsReviewed = false, Confidence = 0.9 });
        var fresh = await _world.ReadAsync();
        Assert.Equal((29L, 29 / 14.0), (fresh.RecentExamples, fresh.ExamplesPerDay));
        Assert.Equal(28, (await _world.ReadAsync(hundredths: 95)).RecentExamples);

        // By the clock of the database, as the days of the changes are.
        await AgeAsync(days: 13);
        Assert.Equal(29, (await _world.ReadAsync()).RecentExamples);
        Assert.Equal(29, (await ReadOrganizationAsync()).RecentExamples);

        await AgeAsync(days: 1);
        var old = await _world.ReadAsync();
        Assert.Equal((29L, 0L, null), (old.ExamplesAvailable, old.RecentExamples, old.ExamplesPerDay));

        await _world.Rows.AddExamplesAsync(await _world.Rows.AddProjectAsync(_world.Organization), 7);
        Assert.Equal((7L, 0.5), ((await ReadOrganizationAsync()).RecentExamples, (await ReadOrganizationAsync()).ExamplesPerDay));
    }

    [Theory]
    [InlineData(200, 143, 200, 4)]
    [InlineData(200, 199, 14, 1)]
    [InlineData(200, 100, 1, 1400)]
    [InlineData(200, 143, 0, null)]
    [InlineData(200, 200, 200, null)]
    public void The_days_left_follow_from_what_is_missing_and_the_pace(int minimum, long examples, long recent, int? days) =>
        Assert.Equal(days, ExamplePace.DaysTo(minimum, examples, recent));

    /// <summary>The export's own figures, on data in which its reasons that need the text do not occur.</summary>
    [Theory]
    [InlineData(0.5, false)]
    [InlineData(0.85, false)]
    [InlineData(0.85, true)]
    public async Task As_many_examples_are_available_as_an_export_writes(double minConfidence, bool humanReviewedOnly)
    {
        await _world.Rows.AddExamplesAsync(_world.Project, 12);
        for (var i = 0; i < 12; i++)
        {
            var chunk = await _world.Rows.AddChunkAsync(_world.Document, $"Part {i} tells of the Ledger.");
            var job = await _world.Rows.AddJobAsync(_world.Project, chunk);
            for (var k = 0; k < 4; k++)
            {
                await _world.AddAsync(new()
                {
                    JobId = job,
                    Name = $"Ledger {i} {k}",
                    Description = (i + k) % 3 == 0 ? "short" : "It books every payment of the bank.",
                    IsReviewed = i % 4 == 0,
                    Confidence = 0.4 + (0.05 * i),
                    Status = (i + k) % 5 == 0 ? "rejected" : "suggested",
                });
            }
        }

        await _world.AddAsync(new() { JobId = await _world.Rows.AddJobAsync(_world.Project) });
        var criteria = new ExportCriteria
        {
            MinConfidence = minConfidence,
            HumanReviewedOnly = humanReviewedOnly,
            ValidationShare = 0,
        };
        var exporter = new DatasetExporter(_world.Database.Database, new PiiScanner(), new TokenCounter(), new Failpoints(),
            Options.Create(new VerificationOptions()));

        var result = await exporter.ExportAsync(
            new Scope(_world.Organization, _world.Project), criteria, testShare: 0.1, maxContributorShare: 1, minExamples: 1,
            new MemoryDatasetStore(), "a/",
            (_, _) => Task.CompletedTask, (_, _) => Task.CompletedTask, Stop);

        var content = Assert.IsType<ExportResult.Exported>(result).Content;
        var statistics = await _world.Reader.ReadProjectAsync(
            _world.Organization, _world.Project, VerificationLevel.Of(criteria), Stop);
        Assert.InRange(content.Counts.Examples, 12, 23);
        Assert.Equal(content.Counts.Examples, statistics!.ExamplesAvailable);
        Assert.Equal(content.Excluded.GetValueOrDefault("undecided_objects"), statistics.ExcludedUndecided);
        Assert.InRange(statistics.ExcludedUndecided, 1, 11);
        await _world.AssertExactAsync(_world.Project);
    }

    private Task AgeAsync(int days) =>
        _world.ExecuteAsync($"update ml.extraction_counts set changed_on = changed_on - {days}");

    private Task<TrainingStatistics?> ReadAsync(Guid organization, Guid project) =>
        _world.Reader.ReadProjectAsync(organization, project, Default, Stop);

    private Task<OrganizationStatistics> ReadOrganizationAsync() =>
        _world.Reader.ReadOrganizationAsync(_world.Organization, Default, Stop);

    /// <summary>An ended run and its dataset, as they stand after everything that leads there.</summary>
    private Task AddTrainingAsync(Guid? projectId, string state, string snapshotAt, string purpose = "training")
    {
        var id = Guid.NewGuid();
        var project = projectId is { } given ? $"'{given}'" : "null";
        return _world.ExecuteAsync(
            $"""
            set session_replication_role = replica;
            insert into ml.datasets (
                id, organization_id, project_id, run_id, uri, seed, prompt_hash, snapshot_at, train_uri,
                train_generation, train_sha256, train_bytes, train_examples, estimated_tokens, statistics, created_at)
            values (
                '{id}', '{_world.Organization}', {project}, '{id}', 'gs://datasets/', 1, repeat('0', 64), '{snapshotAt}',
                'gs://datasets/train.jsonl', 1, repeat('0', 64), 1, 1, 1, '{"{}"}', now());
            insert into ml.training_runs (
                id, organization_id, project_id, purpose, trigger, requested_by, parameters, version, state, reason,
                not_before, deadline_at, dataset_id, model_id, created_at, updated_at, ended_at)
            values (
                '{id}', '{_world.Organization}', {project}, '{purpose}', 'manual', 'test', '{"{}"}',
                (extract(epoch from clock_timestamp()) * 1000000)::bigint, '{state}', 'test', now(), now(), '{id}',
                {(purpose == "training" ? $"'{id}'" : "null")}, clock_timestamp(), now(), now());
            set session_replication_role = origin
            """);
    }
}
