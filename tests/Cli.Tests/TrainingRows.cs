using Dapper;
using FeedbackLoop.Datasets;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Cli;

/// <summary>Runs and models as the chain would have left them, in a database where no chain runs.</summary>
internal sealed class TrainingRows(TestDatabase database)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async Task<Scope> AddOrganizationAsync() => new(await database.AddOrganizationAsync(Cancellation), null);

    public async Task<Scope> AddProjectAsync(Scope organization) =>
        organization with { ProjectId = await database.AddProjectAsync(organization.OrganizationId, Cancellation) };

    /// <summary>A run that waits for its export.</summary>
    public async Task<RunId> AddRunAsync(Scope scope, string purpose = RunPurpose.Training)
    {
        await using var db = await database.Database.OpenConnectionAsync(Cancellation);
        var outcome = await db.RequestRunAsync(
            new RunRequest(scope, purpose, RunTrigger.Manual, "tester", RunParameters.Default, Key: null),
            TimeProvider.System.GetUtcNow(), Cancellation);
        return Assert.IsType<RunRequestOutcome.Accepted>(outcome).RunId;
    }

    /// <summary>A training that is in this state, however it came there.</summary>
    public async Task<RunId> AddRunInStateAsync(Scope scope, string state, CancellationToken cancellationToken)
    {
        var run = await AddRunAsync(scope);
        await database.ExecuteAsync(
            $"""
            set session_replication_role = replica;
            update ml.training_runs set state = '{state}' where id = '{run}';
            set session_replication_role = default
            """,
            cancellationToken);
        return run;
    }

    public async Task EndAsync(RunId run, string reason) => await database.ExecuteAsync(
        $"""
        update ml.training_runs
        set    state = 'failed', reason = '{reason}', lease_until = null, ended_at = clock_timestamp()
        where  id = '{run}'
        """,
        Cancellation);

    /// <summary>A model of a run that is over; it is ready, and one that was ready before it is deprecated.</summary>
    public async Task<RunId> AddReadyModelAsync(Scope scope, string baseModel = "gemini-3.1-flash-lite")
    {
        var run = await AddModelAsync(scope, baseModel);
        await using var db = await database.Database.OpenConnectionAsync(Cancellation);
        await using var tx = await db.BeginTransactionAsync(Cancellation);
        Assert.True(await db.RegisterResultAsync(
            run,
            new TunedResult(
                $"projects/demo/locations/us-central1/models/{run}@1",
                $"projects/demo/locations/us-central1/endpoints/{run}", "[]", "{}", StartedAt: null,
                TimeProvider.System.GetUtcNow()),
            Cancellation));
        Assert.IsType<PromotionOutcome.Promoted>(await db.PromoteAsync(run, Cancellation));
        await tx.CommitAsync(Cancellation);
        return run;
    }

    /// <summary>A finished model that its evaluation found worse than another one; its run has succeeded.</summary>
    public async Task KeepBackAsync(RunId run, RunId live)
    {
        const string reason = "entity F1 −0.250";
        await database.ExecuteAsync(
            $$"""
            begin;
            set local session_replication_role = replica;
            update ml.fine_tuned_models
            set    status = 'deprecated', status_reason = 'not in use, worse: {{reason}}', verdict = 'worse',
                   verdict_reason = '{{reason}}'
            where  id = '{{run}}';
            update ml.training_runs
            set    state = 'succeeded', reason = 'not in use, worse: {{reason}}', model_id = id
            where  id = '{{run}}';
            insert into ml.model_evaluations (
                id, organization_id, model_id, compared_with, dataset_id, subject_model_id, subject_version, base_model,
                scores, comparison, is_reference, scored_at, created_at)
            select gen_random_uuid(), organization_id, id, 'live', dataset_id, '{{live}}', 1, 'gemini',
                   '{"chunks":30,"validRate":1,"entities":{"correct":4,"answered":8,"expected":10,"precision":0.5,"recall":0.4,"f1":0.4444},
                     "entitiesMacroF1":0.4,"byType":{},
                     "relationships":{"correct":0,"answered":0,"expected":0,"precision":null,"recall":null,"f1":null},
                     "typedRelationships":{"correct":0,"answered":0,"expected":0,"precision":null,"recall":null,"f1":null},
                     "groundingRate":0.9}',
                   '{"documents":30,"entities":{"difference":-0.25,"low":-0.3,"high":-0.2,"documents":30},"relationships":null,
                     "chunks":30,"readable":30,"otherReadable":30}',
                   true, now(), now()
            from   ml.fine_tuned_models
            where  id = '{{run}}';
            commit
            """,
            Cancellation);
    }

    /// <summary>A model that is still in training, though its run is over.</summary>
    public async Task<RunId> AddModelAsync(Scope scope, string baseModel = "gemini-3.1-flash-lite")
    {
        var run = await AddRunAsync(scope);
        await using (var db = await database.Database.OpenConnectionAsync(Cancellation))
        {
            var claim = await db.ClaimRunAsync(
                run, [RunState.Requested], RunState.Exporting, TimeSpan.FromMinutes(2), TimeSpan.FromHours(1),
                Cancellation);
            var folder = $"gs://datasets/{scope.DatasetFolder(claim!.Version, claim.Epoch)}";
            var dataset = new Dataset(
                Guid.CreateVersion7(), scope.OrganizationId, scope.ProjectId, run, folder, new string('a', 64),
                folder + "train.jsonl", 1, new string('b', 64), 900, 3, ValidationUri: null,
                ValidationGeneration: null, ValidationSha256: null, ValidationBytes: null, 0, TestUri: null,
                TestGeneration: null, TestSha256: null, TestBytes: null, 0, 300);
            var now = TimeProvider.System.GetUtcNow();
            await db.InsertDatasetAsync(dataset, seed: 1, now, "{}", now, Cancellation);
            Assert.True(await db.MarkExportedAsync(
                claim, dataset.Id, 1.25m, """{"candidates":4,"examples":3,"bytes":900}""", TimeSpan.FromHours(1),
                Cancellation));
            await using var tx = await db.BeginTransactionAsync(Cancellation);
            await db.InsertModelAsync(
                new NewModel(
                    run, scope, baseModel, ParentModelId: null,
                    $"projects/demo/locations/us-central1/tuningJobs/{run}", new string('a', 64), dataset.Id,
                    dataset.TrainUri, 3, 0),
                Cancellation);
            await tx.CommitAsync(Cancellation);
        }

        await EndAsync(run, "arranged by a test");
        return run;
    }

    public async Task<string> StatusAsync(RunId model) => await database.ScalarAsync<string>(
        $"select status from ml.fine_tuned_models where id = '{model}'", Cancellation);

    public async Task<string> StateAsync(RunId run) => await database.ScalarAsync<string>(
        $"select state from ml.training_runs where id = '{run}'", Cancellation);

    /// <summary>Who did what, and why, oldest first.</summary>
    public async Task<IReadOnlyList<string>> AuditAsync()
    {
        await using var db = await database.Admin.OpenConnectionAsync(Cancellation);
        return (await db.QueryAsync<string>(new CommandDefinition(
            "select concat_ws(' | ', actor, action, subject, reason) from ml.audit_log order by at, id",
            cancellationToken: Cancellation))).AsList();
    }
}
