using FeedbackLoop.Testing;

namespace FeedbackLoop.Statistics.Tests;

/// <summary>The figures after each kind of change, each folded on its own; all of them are held against the rows.</summary>
public sealed class CountingTests(PostgresFixture postgres) : IAsyncLifetime
{
    private CountedProjectWorld _world = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _world = await CountedProjectWorld.CreateAsync(postgres);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Nothing_counts_in_a_project_without_objects()
    {
        var statistics = await _world.ReadExactAsync();

        Assert.Equal(0, statistics.Verified);
        Assert.Empty(statistics.ByType);
        Assert.Equal(0, statistics.ExamplesAvailable);
        Assert.Null(statistics.LastChangeAt);
        Assert.Null(statistics.NewExamplesSinceLastTraining);
    }

    [Fact]
    public async Task Each_decision_is_counted_by_type()
    {
        await _world.AddAsync(new() { Type = "System" });
        await _world.AddAsync(new() { Type = "System", IsReviewed = false, Confidence = 0.9 });
        await _world.AddAsync(new() { Type = "Technology", IsReviewed = false, Confidence = 0.5 });
        await _world.AddAsync(new() { Type = "Technology", IsReviewed = false });
        await _world.AddAsync(new() { Type = "Technology", Status = "rejected", Confidence = 1 });

        var statistics = await _world.ReadExactAsync();

        Assert.Equal(
            [new TypeStatistics("System", 1, 1, 0, 0), new TypeStatistics("Technology", 0, 0, 1, 2)], statistics.ByType);
        Assert.Equal((2, 1, 1, 1, 2), (
            statistics.Verified, statistics.HumanReviewed, statistics.AutoAccepted, statistics.Rejected,
            statistics.Undecided));
    }

    [Theory]
    [InlineData(0.85, 85, true)]
    [InlineData(0.85, 86, false)]
    [InlineData(0.8499, 85, false)]
    [InlineData(0.7, 70, true)]
    [InlineData(0.29, 29, true)]
    [InlineData(0.57, 57, true)]
    [InlineData(1.0, 100, true)]
    [InlineData(0.0, 0, true)]
    [InlineData(-0.5, 0, false)]
    [InlineData(7.0, 100, true)]
    [InlineData(1.0, 101, false)]
    public async Task A_threshold_is_exact_although_confidences_are_of_single_precision(
        double confidence, int hundredths, bool isVerified)
    {
        await _world.AddAsync(new() { IsReviewed = false, Confidence = confidence });

        Assert.Equal(isVerified ? 1 : 0, (await _world.ReadAsync(hundredths)).Verified);
        await _world.AssertExactAsync(_world.Project);
    }

    [Fact]
    public async Task Every_hundredth_is_its_own_threshold_in_both_precisions()
    {
        for (var k = 0; k <= 100; k++)
        {
            await _world.AddAsync(new() { IsReviewed = false, Confidence = k / 100.0 });
            await _world.AddAsync(new()
            {
                IsReviewed = false,
                Properties = string.Create(
                    System.Globalization.CultureInfo.InvariantCulture, $$"""{"_extraction_confidence": {{k / 100.0}}}"""),
            });
        }

        for (var k = 0; k <= 100; k++)
        {
            Assert.Equal(2 * (101 - k), (await _world.ReadAsync(k)).Verified);
        }
    }

    [Theory]
    [InlineData("0.849999")]
    [InlineData("0.8499990001")]
    [InlineData("0.8499989999")]
    [InlineData("1e999")]
    [InlineData("-1e999")]
    [InlineData("\"0.9\"")]
    [InlineData("null")]
    public async Task A_confidence_in_the_properties_is_read_as_an_export_reads_it(string confidence)
    {
        await _world.AddAsync(new() { IsReviewed = false, Properties = $$"""{"_extraction_confidence": {{confidence}}}""" });

        await _world.ReadExactAsync();
    }

    [Theory]
    [InlineData("Ledger", "012345678901234567890", true)]
    [InlineData("Ledger", "01234567890123456789", false)]
    [InlineData("Ledger", "  01234567890123456789\\u2003\\u00a0", false)]
    [InlineData("\\t\\u2028", "012345678901234567890", false)]
    [InlineData("", "012345678901234567890", false)]
    [InlineData("Ledger", "\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00a", true)]
    [InlineData("Ledger", "\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00", false)]
    [InlineData("Ledger", "ééééééééééééééééééééé", true)]
    [InlineData("Ledger", "éééééééééééééééééééé", false)]
    public async Task An_example_needs_an_object_that_says_something(string name, string description, bool isExample)
    {
        await _world.AddAsync(new() { Name = name, Description = description });

        Assert.Equal(isExample ? 1 : 0, (await _world.ReadExactAsync()).ExamplesAvailable);
    }

    [Theory]
    [InlineData("""{"name": 7, "description": 123456789012345678901}""", true)]
    [InlineData("""{"name": true, "description": "012345678901234567890"}""", false)]
    [InlineData("""{"name": "Ledger", "description": {"text": "012345678901234567890"}}""", false)]
    [InlineData("""{"name": "Ledger"}""", false)]
    [InlineData("{}", false)]
    public async Task A_name_or_description_is_text_or_a_number(string properties, bool isExample)
    {
        await _world.AddAsync(new() { Properties = properties });

        Assert.Equal(isExample ? 1 : 0, (await _world.ReadExactAsync()).ExamplesAvailable);
    }

    [Fact]
    public async Task An_extraction_with_too_many_undecided_objects_is_no_example()
    {
        for (var i = 0; i < 8; i++)
        {
            await _world.AddAsync(new() { Name = $"Ledger {i}" });
        }

        await _world.AddAsync(new() { IsReviewed = false, Confidence = 0.6 });
        await _world.AddAsync(new() { IsReviewed = false, Confidence = 0.4 });
        var atTheShare = await _world.ReadExactAsync();
        await _world.AddAsync(new() { IsReviewed = false, Confidence = 0.2 });
        var above = await _world.ReadExactAsync();

        Assert.Equal((1, 0), (atTheShare.ExamplesAvailable, atTheShare.ExcludedUndecided));
        Assert.Equal((0, 1), (above.ExamplesAvailable, above.ExcludedUndecided));
        Assert.Equal(1, (await _world.ReadAsync(hundredths: 60)).ExamplesAvailable);
        Assert.Equal(0, (await _world.ReadAsync(hundredths: 61)).ExamplesAvailable);
        Assert.Equal(0, (await _world.ReadAsync(hundredths: 101)).ExamplesAvailable);
    }

    [Theory]
    [InlineData("status = 'rejected'", 0, 0, 1, 0)]
    [InlineData("reviewed_by = null", 0, 0, 0, 1)]
    [InlineData("reviewed_by = null, extraction_confidence = 0.85", 0, 1, 0, 0)]
    [InlineData("deleted_at = now()", 0, 0, 0, 0)]
    [InlineData("branch_id = gen_random_uuid()", 0, 0, 0, 0)]
    [InlineData("properties = '{}'", 1, 0, 0, 0)]
    [InlineData("canonical_id = gen_random_uuid()", 1, 0, 0, 0)]
    [InlineData("extraction_job_id = null", 1, 0, 0, 0)]
    [InlineData("id = gen_random_uuid()", 1, 0, 0, 0)]
    public async Task A_row_that_changes_in_place_counts_as_what_it_has_become(
        string change, int human, int auto, int rejected, int undecided)
    {
        await _world.AddAsync(new());
        Assert.Equal(1, (await _world.ReadExactAsync()).HumanReviewed);

        await _world.ExecuteAsync($"update kb.graph_objects set {change}");

        var statistics = await _world.ReadExactAsync();
        Assert.Equal(
            (human, auto, rejected, undecided),
            (statistics.HumanReviewed, statistics.AutoAccepted, statistics.Rejected, statistics.Undecided));
    }

    [Fact]
    public async Task A_renamed_type_takes_its_objects_along()
    {
        await _world.AddAsync(new() { Type = "Tool" });
        await _world.AddAsync(new() { Type = "System" });
        await _world.ReadAsync();

        await _world.ExecuteAsync("update kb.graph_objects set type = 'System' where type = 'Tool'");

        Assert.Equal([new TypeStatistics("System", 2, 0, 0, 0)], (await _world.ReadExactAsync()).ByType);
    }

    [Fact]
    public async Task A_new_version_takes_the_place_of_the_one_before()
    {
        var canonical = Guid.NewGuid();
        await _world.AddAsync(new() { CanonicalId = canonical });
        await _world.ReadAsync();

        await _world.AddAsync(new() { CanonicalId = canonical, Version = 2, IsReviewed = false, Actor = "agent" });
        Assert.Equal(1, (await _world.ReadExactAsync()).Undecided);

        await _world.AddAsync(new() { CanonicalId = canonical, Version = 3, IsDeleted = true });
        Assert.Empty((await _world.ReadExactAsync()).ByType);

        await _world.ExecuteAsync("delete from kb.graph_objects where version = 3");
        Assert.Equal(1, (await _world.ReadExactAsync()).Undecided);

        await _world.ExecuteAsync("delete from kb.graph_objects where version = 2");
        Assert.Equal(1, (await _world.ReadExactAsync()).HumanReviewed);
    }

    [Fact]
    public async Task A_version_on_a_branch_changes_nothing_until_it_is_merged()
    {
        var canonical = Guid.NewGuid();
        await _world.AddAsync(new() { CanonicalId = canonical });
        await _world.AddAsync(new() { CanonicalId = canonical, Version = 2, Status = "rejected", BranchId = Guid.NewGuid() });
        Assert.Equal(1, (await _world.ReadExactAsync()).Verified);

        await _world.ExecuteAsync("update kb.graph_objects set branch_id = null where version = 2");
        Assert.Equal(1, (await _world.ReadExactAsync()).Rejected);
    }

    [Fact]
    public async Task An_object_that_moves_to_another_project_is_counted_there()
    {
        var other = await _world.Rows.AddProjectAsync(_world.Organization);
        await _world.AddAsync(new());
        await _world.AssertExactAsync(_world.Project);
        await _world.AssertExactAsync(other);

        await _world.ExecuteAsync($"update kb.graph_objects set project_id = '{other}'");

        await _world.AssertExactAsync(other);
        Assert.Equal(0, (await _world.ReadExactAsync()).Verified);
    }

    [Fact]
    public async Task A_chunk_that_comes_or_goes_makes_or_ends_an_example()
    {
        var chunk = Guid.NewGuid();
        await _world.AddAsync(new() { JobId = await _world.Rows.AddJobAsync(_world.Project, chunk) });
        Assert.Equal(0, (await _world.ReadExactAsync()).ExamplesAvailable);

        var insert = $"insert into kb.chunks (id, document_id, chunk_index, text) values ('{chunk}', '{_world.Document}', 9, 't')";
        await _world.ExecuteAsync(insert);
        Assert.Equal(1, (await _world.ReadExactAsync()).ExamplesAvailable);

        await _world.ExecuteAsync($"delete from kb.chunks where id = '{chunk}'");
        Assert.Equal(0, (await _world.ReadExactAsync()).ExamplesAvailable);

        await _world.ExecuteAsync(insert);
        Assert.Equal(1, (await _world.ReadExactAsync()).ExamplesAvailable);

        await _world.ExecuteAsync($"delete from kb.documents where id = '{_world.Document}'");
        Assert.Equal(0, (await _world.ReadExactAsync()).ExamplesAvailable);
    }

    [Fact]
    public async Task A_soft_deleted_chunk_stays_a_source()
    {
        await _world.AddAsync(new());
        await _world.ExecuteAsync("update kb.chunks set deleted_at = now()");

        Assert.Equal(1, (await _world.ReadExactAsync()).ExamplesAvailable);
    }

    [Theory]
    [InlineData("chunk_id = null")]
    [InlineData("chunk_id = null, source_type = 'document', source_id = upper(document_id::text)")]
    [InlineData("chunk_id = null, document_id = null, source_type = 'chunk', source_id = upper(chunk_id::text)")]
    [InlineData("chunk_id = gen_random_uuid()")]
    public async Task An_extraction_that_changes_its_source_is_followed(string change)
    {
        await _world.AddAsync(new());
        await _world.ExecuteAsync($"update kb.object_extraction_jobs set document_id = '{_world.Document}'");
        await _world.ReadExactAsync();

        await _world.ExecuteAsync($"update kb.object_extraction_jobs set {change}");
        await _world.ReadExactAsync();

        // Now the document has two chunks, and none is its only one.
        await _world.Rows.AddChunkAsync(_world.Document, "Another part.");
        await _world.ReadExactAsync();

        await _world.ExecuteAsync($"delete from kb.chunks where id <> '{_world.Chunk}'");
        await _world.ReadExactAsync();

        await _world.ExecuteAsync("update kb.object_extraction_jobs set document_id = null");
        await _world.ExecuteAsync("delete from kb.object_extraction_jobs");
        Assert.Equal(0, (await _world.ReadExactAsync()).ExamplesAvailable);
    }

    [Fact]
    public async Task An_extraction_may_be_recorded_after_its_objects()
    {
        var job = Guid.NewGuid();
        await _world.ExecuteAsync("alter table kb.graph_objects drop constraint if exists graph_objects_extraction_job_id_fkey");
        await _world.AddAsync(new() { JobId = job });
        Assert.Equal(0, (await _world.ReadExactAsync()).ExamplesAvailable);

        await _world.ExecuteAsync(
            $"insert into kb.object_extraction_jobs (id, project_id, chunk_id) values ('{job}', '{_world.Project}', '{_world.Chunk}')");
        Assert.Equal(1, (await _world.ReadExactAsync()).ExamplesAvailable);
    }

    [Fact]
    public async Task Evidence_that_comes_changes_or_goes_is_followed()
    {
        var job = await _world.Rows.AddJobAsync(_world.Project);
        var row = await _world.AddAsync(new() { JobId = job });
        var other = await _world.Rows.AddChunkAsync(_world.Document, "Another part.");
        Assert.Equal(0, (await _world.ReadExactAsync()).ExamplesAvailable);

        await _world.Rows.AddEvidenceAsync(row, _world.Chunk, job);
        Assert.Equal(1, (await _world.ReadExactAsync()).ExamplesAvailable);

        await _world.Rows.AddEvidenceAsync(row, other, job);
        Assert.Equal(0, (await _world.ReadExactAsync()).ExamplesAvailable);

        await _world.ExecuteAsync($"update kb.object_chunks set extraction_job_id = null where chunk_id = '{other}'");
        Assert.Equal(1, (await _world.ReadExactAsync()).ExamplesAvailable);

        await _world.ExecuteAsync($"delete from kb.object_chunks where chunk_id = '{_world.Chunk}'");
        Assert.Equal(0, (await _world.ReadExactAsync()).ExamplesAvailable);
    }

    [Fact]
    public async Task Evidence_of_a_row_on_a_branch_goes_with_that_row()
    {
        var job = await _world.Rows.AddJobAsync(_world.Project);
        var canonical = Guid.NewGuid();
        await _world.AddAsync(new() { CanonicalId = canonical, JobId = job });
        var branch = await _world.AddAsync(new() { CanonicalId = canonical, JobId = job, BranchId = Guid.NewGuid() });
        await _world.Rows.AddEvidenceAsync(branch, _world.Chunk, job);
        Assert.Equal(1, (await _world.ReadExactAsync()).ExamplesAvailable);

        await _world.ExecuteAsync($"delete from kb.graph_objects where id = '{branch}'");
        Assert.Equal(0, (await _world.ReadExactAsync()).ExamplesAvailable);
    }

    [Fact]
    public async Task A_document_that_moves_to_another_project_takes_its_chunks_along()
    {
        var other = await _world.Rows.AddProjectAsync(_world.Organization);
        await _world.AddAsync(new());
        await _world.Rows.AddObjectAsync(
            other, new() { JobId = await _world.Rows.AddJobAsync(other, _world.Chunk) });
        Assert.Equal(1, (await _world.ReadExactAsync()).ExamplesAvailable);
        await _world.AssertExactAsync(other);

        await _world.ExecuteAsync($"update kb.documents set project_id = '{other}'");

        Assert.Equal(0, (await _world.ReadExactAsync()).ExamplesAvailable);
        await _world.AssertExactAsync(other);
    }

    [Fact]
    public async Task A_truncated_table_is_noticed()
    {
        await _world.AddAsync(new());
        await _world.ReadExactAsync();

        await _world.ExecuteAsync("truncate kb.graph_objects cascade");

        Assert.Equal(0, (await _world.ReadExactAsync()).Verified);
    }

    [Fact]
    public async Task A_deleted_project_loses_its_counts_with_the_next_sweep_and_hinders_nobody()
    {
        await _world.AddAsync(new());
        await _world.ReadExactAsync();
        await _world.AddAsync(new());

        await _world.ExecuteAsync(
            $"delete from kb.object_extraction_jobs; delete from kb.projects where id = '{_world.Project}'");

        Assert.Null(await _world.Reader.ReadProjectAsync(_world.Organization, _world.Project, Figures.LevelOf(85), Stop));
        Assert.Equal(default, (await _world.Fold.FoldAsync(_world.Project, 100, Stop)) with { IsComplete = false });

        await using var db = await _world.Database.Database.OpenConnectionAsync(Stop);
        Assert.InRange(await db.ForgetGoneProjectsAsync(Stop), 2, 10);
        foreach (var table in (string[])
            ["counted_projects", "counted_objects", "counted_extractions", "object_counts", "extraction_counts", "knowledge_changes"])
        {
            Assert.Equal((table, 0), (table, await _world.Database.ScalarAsync<long>($"select count(*) from ml.{table}", Stop)));
        }
    }

    [Fact]
    public async Task What_counts_for_nothing_leaves_no_trace_in_the_log()
    {
        await _world.AddAsync(new());
        await _world.ReadAsync();

        await _world.ExecuteAsync("update kb.graph_objects set updated_at = now(), labels = '{a}', needs_review = null");
        await _world.ExecuteAsync("update kb.chunks set text = 'other', metadata = '{}', deleted_at = now()");
        await _world.ExecuteAsync("update kb.object_extraction_jobs set status = 'requires_review', debug_info = '{}'");
        await _world.ExecuteAsync("update kb.documents set filename = 'other'");
        await _world.AddAsync(new() { BranchId = Guid.NewGuid() });

        Assert.Equal(0, await _world.Database.ScalarAsync<long>("select count(*) from ml.knowledge_changes", Stop));
    }
}
