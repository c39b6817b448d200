using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Npgsql;

namespace FeedbackLoop.Knowledge;

/// <summary>The table in which a person's "there is nothing to find here" stands.</summary>
public sealed class ConfirmedEmptyTests(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private TestDatabase _database = null!;  // xunit initializes these before each test
    private KnowledgeRows _rows = null!;
    private NpgsqlConnection _db = null!;
    private Guid _organization;
    private Guid _project;
    private Guid _chunk;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Stop);
        _rows = new KnowledgeRows(_database.Database);
        _organization = await _rows.AddOrganizationAsync();
        _project = await _rows.AddProjectAsync(_organization);
        _chunk = await _rows.AddChunkAsync(await _rows.AddDocumentAsync(_project), "It rained all day.");
        _db = await _database.Database.OpenConnectionAsync(Stop);
    }

    public async ValueTask DisposeAsync()
    {
        await _db.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task It_is_recorded_once_and_audited_once()
    {
        var job = await _rows.AddJobAsync(_project, _chunk);

        var first = await ConfirmAsync(job, "user:one", "nothing but weather");
        var second = await ConfirmAsync(job, "user:two", "again");

        var row = new EmptyConfirmation(job, "user:one", Now);
        Assert.Equal(new ConfirmEmptyOutcome.Confirmed(row, IsNew: true), first);
        Assert.Equal(new ConfirmEmptyOutcome.Confirmed(row, IsNew: false), second);
        Assert.Equal(
            $"{job}|{_organization}|{_project}|user:one",
            await TextAsync(
                "select concat_ws('|', job_id, organization_id, project_id, confirmed_by) from ml.confirmed_empty"));
        Assert.Equal([$"confirm-empty|user:one|extraction {job}|nothing but weather|{_project}"], await AuditAsync());
    }

    [Fact]
    public async Task It_is_taken_back_once_and_audited_once()
    {
        var job = await _rows.AddJobAsync(_project, _chunk);
        await ConfirmAsync(job, "user:one", reason: null);

        Assert.True(await WithdrawAsync(job));
        Assert.False(await WithdrawAsync(job));
        Assert.Equal(0, await CountAsync());
        Assert.Equal(
            [$"confirm-empty|user:one|extraction {job}|{_project}", $"withdraw-empty|user:one|extraction {job}|{_project}"],
            await AuditAsync());
    }

    [Fact]
    public async Task Both_ask_for_a_new_count_of_the_extraction()
    {
        var job = await _rows.AddJobAsync(_project, _chunk);
        await _database.ExecuteAsync("delete from ml.knowledge_changes", Stop);

        await ConfirmAsync(job, "user:one", reason: null);
        await ConfirmAsync(job, "user:one", reason: null);
        var noted = await ChangesAsync();
        await WithdrawAsync(job);

        Assert.Equal($"{_organization}|{_project}|object|{job}", noted);
        Assert.Equal($"{noted} {noted}", await ChangesAsync());
    }

    [Theory]
    [InlineData("running")]
    [InlineData("failed")]
    public async Task An_extraction_that_is_not_completed_is_refused(string status)
    {
        var job = await _rows.AddJobAsync(_project, _chunk);
        await _database.ExecuteAsync($"update kb.object_extraction_jobs set status = '{status}'", Stop);

        var refused = Assert.IsType<ConfirmEmptyOutcome.Refused>(await ConfirmAsync(job, "user:one", reason: null));

        Assert.Equal((status, 0), (refused.Status, refused.OpenObjects));
        Assert.Equal(0, await CountAsync());
        Assert.Empty(await AuditAsync());
    }

    [Fact]
    public async Task Objects_stand_in_the_way_until_they_are_rejected_or_gone()
    {
        var job = await _rows.AddJobAsync(_project, _chunk);
        await _rows.AddObjectAsync(_project, new() { JobId = job, Status = "rejected" });
        await _rows.AddObjectAsync(_project, new() { JobId = job, IsDeleted = true });
        await _rows.AddObjectAsync(_project, new() { JobId = job, Status = "draft", IsReviewed = false });

        // An edit copies the extraction into the properties, or leaves it to the first version.
        var edited = await _rows.AddObjectAsync(_project, new() { JobId = job, Status = "rejected" });
        await _rows.AddObjectAsync(_project, new()
        {
            CanonicalId = edited,
            Version = 2,
            Properties = $$"""{"name": "Ledger", "_extraction_job_id": "{{job.ToString().ToUpperInvariant()}}"}""",
        });
        await _rows.AddObjectAsync(_project, new()
        {
            Properties = $$"""{"name": "Ledger", "_extraction_job_id": "{{job}}"}""",
        });

        Assert.Equal(
            3, Assert.IsType<ConfirmEmptyOutcome.Refused>(await ConfirmAsync(job, "user:one", reason: null)).OpenObjects);
        await _database.ExecuteAsync("update kb.graph_objects set status = 'rejected'", Stop);
        Assert.IsType<ConfirmEmptyOutcome.Confirmed>(await ConfirmAsync(job, "user:one", reason: null));
    }

    [Fact]
    public async Task An_object_of_another_extraction_does_not()
    {
        var job = await _rows.AddJobAsync(_project, _chunk);
        await _rows.AddObjectAsync(_project, new() { JobId = await _rows.AddJobAsync(_project, _chunk) });

        Assert.IsType<ConfirmEmptyOutcome.Confirmed>(await ConfirmAsync(job, "user:one", reason: null));
    }

    [Fact]
    public async Task An_extraction_that_names_no_single_text_is_refused()
    {
        var document = await _rows.AddDocumentAsync(_project);
        await _rows.AddChunkAsync(document, "One.");
        var ofTwo = await _rows.AddJobAsync(_project, documentId: document, sourceType: "document", sourceId: $"{document}");
        await _rows.AddChunkAsync(document, "Two.");
        var elsewhere = await _rows.AddChunkAsync(
            await _rows.AddDocumentAsync(await _rows.AddProjectAsync(_organization)), "Of another project.");

        foreach (var job in new[] { ofTwo, await _rows.AddJobAsync(_project, elsewhere), await _rows.AddJobAsync(_project) })
        {
            Assert.Contains(
                "names no chunk",
                Assert.IsType<ConfirmEmptyOutcome.Refused>(await ConfirmAsync(job, "user:one", reason: null)).Reason,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_source_and_a_replaced_chunk_name_their_text()
    {
        var document = await _rows.AddDocumentAsync(_project);
        var only = await _rows.AddChunkAsync(document, "Alone.", isDeleted: true);

        foreach (var job in new[]
        {
            await _rows.AddJobAsync(_project, sourceType: "chunk", sourceId: $"{_chunk}"),
            await _rows.AddJobAsync(_project, documentId: document, sourceType: "document", sourceId: $"{document}"),
            await _rows.AddJobAsync(_project, only),
        })
        {
            Assert.IsType<ConfirmEmptyOutcome.Confirmed>(await ConfirmAsync(job, "user:one", reason: null));
        }
    }

    [Fact]
    public async Task There_is_none_in_a_deleted_project_and_none_of_a_made_up_id()
    {
        var job = await _rows.AddJobAsync(_project, _chunk);
        await _database.ExecuteAsync("update kb.projects set deleted_at = now()", Stop);

        Assert.Null(await _db.FindExtractionScopeAsync(job, Stop));
        Assert.Null(await _db.FindExtractionScopeAsync(Guid.NewGuid(), Stop));
    }

    [Fact]
    public async Task The_sweep_forgets_what_was_confirmed_of_extractions_that_are_gone()
    {
        var gone = await _rows.AddJobAsync(_project, _chunk);
        await ConfirmAsync(gone, "user:one", reason: null);
        var kept = await _rows.AddJobAsync(_project, _chunk);
        await ConfirmAsync(kept, "user:one", reason: null);
        await _database.ExecuteAsync($"delete from kb.object_extraction_jobs where id = '{gone}'", Stop);

        Assert.Equal(1, await _db.ForgetGoneConfirmationsAsync(Stop));

        Assert.Equal($"{kept}", await TextAsync("select string_agg(job_id::text, ' ') from ml.confirmed_empty"));
    }

    private Task<ConfirmEmptyOutcome> ConfirmAsync(Guid job, string actor, string? reason) =>
        _db.ConfirmEmptyAsync(new Scope(_organization, _project), job, actor, reason, Now, Stop);

    private Task<bool> WithdrawAsync(Guid job) =>
        _db.WithdrawEmptyAsync(new Scope(_organization, _project), job, "user:one", reason: null, Now, Stop);

    private Task<long> CountAsync() => _database.ScalarAsync<long>("select count(*) from ml.confirmed_empty", Stop);

    private Task<string> TextAsync(string sql) => _database.ScalarAsync<string>(sql, Stop);

    private Task<string> ChangesAsync() => TextAsync(
        """
        select string_agg(concat_ws('|', organization_id, project_id, subject, subject_id), ' ' order by id)
        from   ml.knowledge_changes
        """);

    private async Task<string[]> AuditAsync() => await _database.ScalarAsync<string[]>(
        """
        select coalesce(array_agg(concat_ws('|', action, actor, subject, reason, project_id) order by id), '{}')
        from   ml.audit_log
        """,
        Stop);
}
