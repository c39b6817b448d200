using FeedbackLoop.Testing;

namespace FeedbackLoop.Database.Tests;

/// <summary>The scripts that take a project or an organization out, as an operator runs them.</summary>
public sealed class ForgetTests(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _database = null!; // xunit initializes these before each test
    private KnowledgeRows _rows = null!;
    private Guid _organization;
    private Guid _project;
    private Guid _other;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(Psql.Find() is null, Psql.Missing);
        _database = await postgres.CreateDatabaseAsync(Stop);
        _rows = new KnowledgeRows(_database.Admin);
        _organization = await _rows.AddOrganizationAsync();
        _project = await _rows.AddProjectAsync(_organization);
        _other = await _rows.AddProjectAsync(_organization);
    }

    public ValueTask DisposeAsync() => _database?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task A_project_is_forgotten_and_the_rest_of_its_organization_is_not()
    {
        await ScopeRows.AddAsync(_database, _organization, _other, Stop);
        await ScopeRows.AddAsync(_database, _organization, project: null, Stop);
        var others = await ScopeRows.CountAsync(_database, _organization, Stop);
        var run = await ScopeRows.AddAsync(_database, _organization, _project, Stop);

        var (exitCode, printed) = await ForgetProjectAsync();

        Assert.True(exitCode == 0, printed);
        Assert.Equal(others, await ScopeRows.CountAsync(_database, _organization, Stop));
        Assert.Contains($"gs://b/{run}/", printed, StringComparison.Ordinal);
        Assert.Contains($"projects/p/locations/l/tuningJobs/{run}", printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_time_finds_nothing_also_when_the_product_has_deleted_the_project()
    {
        await ScopeRows.AddAsync(_database, _organization, _project, Stop);
        await _database.ExecuteAsync($"delete from kb.projects where id = '{_project}'", Stop);

        foreach (var _ in Enumerable.Range(0, 2))
        {
            var (exitCode, printed) = await ForgetProjectAsync();
            Assert.True(exitCode == 0, printed);
        }

        Assert.All(
            await ScopeRows.CountAsync(_database, _organization, Stop), table => Assert.Equal((table.Key, 0), (table.Key, table.Value)));
    }

    [Theory]
    [InlineData("tuning")]
    [InlineData("cancelling")]
    [InlineData("needs_operator")]
    public async Task While_a_paid_job_may_live_nothing_is_forgotten(string state)
    {
        await ScopeRows.AddAsync(_database, _organization, _project, Stop, state);
        var before = await ScopeRows.CountAsync(_database, _organization, Stop);

        var (exitCode, printed) = await ForgetProjectAsync();

        Assert.NotEqual(0, exitCode);
        Assert.Contains("Refused: runs that are not over: 1", printed, StringComparison.Ordinal);
        Assert.Equal(before, await ScopeRows.CountAsync(_database, _organization, Stop));
    }

    [Fact]
    public async Task A_live_run_of_another_project_does_not_matter()
    {
        await ScopeRows.AddAsync(_database, _organization, _other, Stop, "tuning");
        await ScopeRows.AddAsync(_database, _organization, project: null, Stop, "tuning");
        await ScopeRows.AddAsync(_database, _organization, _project, Stop);

        Assert.Equal(0, (await ForgetProjectAsync()).ExitCode);
    }

    [Fact]
    public async Task The_general_models_that_learnt_from_the_project_are_named()
    {
        var document = await _rows.AddDocumentAsync(_project);
        var learnt = await ScopeRows.AddAsync(_database, _organization, project: null, Stop);
        await _database.ExecuteAsync($"update ml.dataset_examples set document_id = '{document}'", Stop);

        var (_, printed) = await ForgetProjectAsync();
        var (_, ofOther) = await Psql.RunAsync(
            _database.Admin.ConnectionString, "forget-project.sql", [$"project={_other}"], Stop);

        Assert.Contains($"gs://b/{learnt}/", printed, StringComparison.Ordinal);
        Assert.DoesNotContain($"gs://b/{learnt}/", ofOther, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Texts_that_are_kept_for_trainings_alone_are_deleted_whatever_the_session_says(bool isProject)
    {
        var document = await _rows.AddDocumentAsync(_project);
        await _rows.AddChunkAsync(document, "old", isDeleted: true);
        await _rows.AddChunkAsync(document, "new");
        await _rows.AddChunkAsync(await _rows.AddDocumentAsync(_other), "other", isDeleted: true);
        await _database.ExecuteAsync($"alter database {_database.Name} set feedbackloop.reprocessing = 'on'", Stop);

        var (exitCode, printed) = isProject
            ? await ForgetProjectAsync()
            : await Psql.RunAsync(
                _database.Admin.ConnectionString, "forget-organization.sql", [$"organization={_organization}"], Stop);

        Assert.True(exitCode == 0, printed);
        Assert.Equal(
            isProject ? "new, other" : "new",
            await _database.ScalarAsync<string>("select string_agg(text, ', ' order by text) from kb.chunks", Stop));
    }

    private Task<(int ExitCode, string Output)> ForgetProjectAsync() =>
        Psql.RunAsync(_database.Admin.ConnectionString, "forget-project.sql", [$"project={_project}"], Stop);
}
