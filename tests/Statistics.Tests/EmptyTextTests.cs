using FeedbackLoop.Testing;

namespace FeedbackLoop.Statistics.Tests;

/// <summary>When a text counts as one with nothing to find; the statistics and an export must say the same.</summary>
public sealed class EmptyTextTests(PostgresFixture postgres) : IAsyncLifetime
{
    private CountedProjectWorld _world = null!;

    public async ValueTask InitializeAsync() => _world = await CountedProjectWorld.CreateAsync(postgres);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_text_holds_nothing_when_people_have_rejected_all_that_was_found()
    {
        await _world.AddAsync(new() { Status = "rejected" });
        await _world.AddAsync(new() { Status = "rejected" });

        Assert.Equal(1, (await _world.ReadExactAsync()).EmptyTexts);
    }

    [Fact]
    public async Task A_rejection_in_a_version_of_a_user_is_a_persons()
    {
        var canonical = Guid.NewGuid();
        await _world.AddAsync(new() { CanonicalId = canonical, IsReviewed = false, Status = "draft" });
        Assert.Equal(0, (await _world.ReadExactAsync()).EmptyTexts);

        await _world.AddAsync(new() { CanonicalId = canonical, Version = 2, IsReviewed = false, Status = "rejected" });
        Assert.Equal(1, (await _world.ReadExactAsync()).EmptyTexts);
    }

    public static TheoryData<ObjectRow> NotEmpty => new()
    {
        new ObjectRow(),
        new ObjectRow { IsReviewed = false, Status = "draft" },
        new ObjectRow { IsReviewed = false, Status = "rejected" },
        new ObjectRow { IsDeleted = true },
    };

    [Theory]
    [MemberData(nameof(NotEmpty), DisableDiscoveryEnumeration = true)]
    public async Task One_object_that_no_person_has_rejected_keeps_a_text_from_being_empty(ObjectRow other)
    {
        await _world.AddAsync(new() { Status = "rejected" });
        Assert.Equal(1, (await _world.ReadExactAsync()).EmptyTexts);

        await _world.AddAsync(other);

        Assert.Equal(0, (await _world.ReadExactAsync()).EmptyTexts);
    }

    [Fact]
    public async Task A_text_in_which_another_extraction_has_found_something_is_not_empty()
    {
        await _world.AddAsync(new() { Status = "rejected" });
        await _world.ConfirmEmptyAsync(await _world.Rows.AddJobAsync(_world.Project, _world.Chunk));
        Assert.Equal(2, (await _world.ReadExactAsync()).EmptyTexts);

        var later = await _world.Rows.AddJobAsync(_world.Project, _world.Chunk);
        var found = await _world.AddAsync(new() { JobId = later });
        Assert.Equal((0, 1L), ((await _world.ReadExactAsync()).EmptyTexts, (await _world.ReadAsync()).ExamplesAvailable));

        await _world.ExecuteAsync("update ml.counted_projects set rules = null");
        await new StatisticsFold(_world.Database.Database, CountingRules.Default) { FewRows = 0 }
            .FoldAsync(_world.Project, 1, TestContext.Current.CancellationToken);
        Assert.Equal(0, (await _world.ReadExactAsync()).EmptyTexts);

        await _world.ExecuteAsync($"update kb.graph_objects set status = 'rejected' where id = '{found}'");
        Assert.Equal(3, (await _world.ReadExactAsync()).EmptyTexts);
    }

    [Fact]
    public async Task What_was_rejected_and_then_deleted_stays_rejected()
    {
        await _world.AddAsync(new() { Status = "rejected" });
        await _world.ReadExactAsync();

        await _world.ExecuteAsync("update kb.graph_objects set deleted_at = now()");

        Assert.Equal((1, 0), ((await _world.ReadExactAsync()).EmptyTexts, (await _world.ReadAsync()).Rejected));
    }

    [Fact]
    public async Task An_extraction_that_is_not_completed_says_nothing()
    {
        await _world.ExecuteAsync("update kb.object_extraction_jobs set status = 'running'");
        await _world.AddAsync(new() { Status = "rejected" });
        Assert.Equal(0, (await _world.ReadExactAsync()).EmptyTexts);

        await _world.ExecuteAsync("update kb.object_extraction_jobs set status = 'requires_review'");
        Assert.Equal(1, (await _world.ReadExactAsync()).EmptyTexts);
    }

    [Fact]
    public async Task Evidence_alone_does_not_say_that_a_text_is_empty()
    {
        // Whatever else was found may be of this chunk too.
        var job = await _world.Rows.AddJobAsync(_world.Project);
        var row = await _world.AddAsync(new() { JobId = job, Status = "rejected" });
        await _world.Rows.AddEvidenceAsync(row, _world.Chunk, job);

        Assert.Equal(0, (await _world.ReadExactAsync()).EmptyTexts);
    }

    [Fact]
    public async Task A_confirmation_makes_a_text_empty_and_its_withdrawal_undoes_that()
    {
        Assert.Equal(0, (await _world.ReadExactAsync()).EmptyTexts);

        await _world.ConfirmEmptyAsync(_world.Job);
        Assert.Equal(1, (await _world.ReadExactAsync()).EmptyTexts);

        await _world.ExecuteAsync("delete from ml.confirmed_empty");
        Assert.Equal(0, (await _world.ReadExactAsync()).EmptyTexts);
    }

    [Fact]
    public async Task An_object_stands_against_a_confirmation_until_it_is_rejected()
    {
        await _world.ConfirmEmptyAsync(_world.Job);
        await _world.AddAsync(new() { IsReviewed = false, Status = "draft" });
        Assert.Equal(0, (await _world.ReadExactAsync()).EmptyTexts);

        await _world.ExecuteAsync("update kb.graph_objects set status = 'rejected'");
        Assert.Equal(1, (await _world.ReadExactAsync()).EmptyTexts);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20_000)]
    public async Task A_first_count_finds_confirmations_too(int fewRows)
    {
        await _world.ConfirmEmptyAsync(_world.Job);
        await _world.ExecuteAsync("update ml.counted_projects set rules = null");
        await new StatisticsFold(_world.Database.Database, CountingRules.Default) { FewRows = fewRows }
            .FoldAsync(_world.Project, 1, TestContext.Current.CancellationToken);

        Assert.Equal(1, (await _world.ReadExactAsync()).EmptyTexts);
    }

    [Fact]
    public async Task Of_the_texts_with_nothing_to_find_a_tenth_of_all_examples_counts()
    {
        await _world.Rows.AddExamplesAsync(_world.Project, 18);
        for (var i = 0; i < 5; i++)
        {
            var chunk = await _world.Rows.AddChunkAsync(_world.Document, $"Nothing {i}.");
            await _world.ConfirmEmptyAsync(await _world.Rows.AddJobAsync(_world.Project, chunk));
        }

        var statistics = await _world.ReadExactAsync();

        Assert.Equal((20L, 5L, 20L), (statistics.ExamplesAvailable, statistics.EmptyTexts, statistics.RecentExamples));
    }
}
