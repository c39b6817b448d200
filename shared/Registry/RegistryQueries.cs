using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Registry;

/// <summary>Every statement that touches <c>ml.fine_tuned_models</c>.</summary>
public static class RegistryQueries
{
    private const string Columns =
        """
        id, organization_id as OrganizationId, project_id as ProjectId, version, status, status_reason as StatusReason,
        base_model as BaseModel, parent_model_id as ParentModelId, tuning_job as TuningJob, vertex_model as VertexModel,
        vertex_endpoint as VertexEndpoint, checkpoints::text as CheckpointsJson,
        tuning_statistics::text as TuningStatisticsJson, evaluation_metrics::text as EvaluationMetricsJson,
        verdict, verdict_reason as VerdictReason,
        prompt_hash as PromptHash, dataset_id as DatasetId, training_dataset_uri as TrainingDatasetUri,
        training_examples as TrainingExamples, validation_examples as ValidationExamples,
        training_started_at as TrainingStartedAt, training_completed_at as TrainingCompletedAt,
        promoted_at as PromotedAt, first_promoted_at as FirstPromotedAt, created_at as CreatedAt,
        tainted_since as TaintedSince, taint_reason as TaintReason
        """;

    public static Task<FineTunedModel?> FindModelAsync(
        this NpgsqlConnection db, RunId id, CancellationToken cancellationToken) =>
        db.QuerySingleOrDefaultAsync<FineTunedModel>(Sql.Command(
            $"select {Columns} from ml.fine_tuned_models where id = @id", new { id }, cancellationToken));

    /// <summary>Models of an organization, newest first; null leaves a filter out.</summary>
    public static async Task<IReadOnlyList<FineTunedModel>> ListModelsAsync(
        this NpgsqlConnection db, Guid organizationId, Guid? projectId, string? status, int limit,
        CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            select {Columns}
            from   ml.fine_tuned_models
            where  organization_id = @organizationId
            and    (@projectId::uuid is null or project_id = @projectId)
            and    (@status::text is null or status = @status)
            order  by created_at desc, id desc
            limit  @limit
            """;

        var args = new { organizationId, projectId, status, limit };
        return (await db.QueryAsync<FineTunedModel>(Sql.Command(sql, args, cancellationToken))).AsList();
    }

    /// <summary>A model of a scope that the caller may see; null for every other one.</summary>
    public static Task<FineTunedModel?> FindVisibleModelAsync(
        this NpgsqlConnection db, RunId id, ScopeFilter visible, CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            select {Columns}
            from   ml.fine_tuned_models
            where  id = @id
            and    {ScopeFilter.Condition}
            """;

        var args = new { id, visible.WholeOrganizations, visible.Organizations, visible.Projects };
        return db.QuerySingleOrDefaultAsync<FineTunedModel>(Sql.Command(sql, args, cancellationToken));
    }

    /// <summary>Models that the caller may see, newest first, from after a key on; null leaves a filter out.</summary>
    public static async Task<IReadOnlyList<FineTunedModel>> ListVisibleModelsAsync(
        this NpgsqlConnection db, ScopeFilter visible, string? status, PageKey? after, int limit,
        CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            select {Columns}
            from   ml.fine_tuned_models
            where  {ScopeFilter.Condition}
            and    (@status::text is null or status = @status)
            and    (@afterTime::timestamptz is null or (created_at, id) < (@afterTime, @afterId))
            order  by created_at desc, id desc
            limit  @limit
            """;

        var args = new
        {
            visible.WholeOrganizations,
            visible.Organizations,
            visible.Projects,
            status,
            afterTime = after?.CreatedAt,
            afterId = after?.Id,
            limit,
        };
        return (await db.QueryAsync<FineTunedModel>(Sql.Command(sql, args, cancellationToken))).AsList();
    }

    /// <summary>Every ready model of an organization: at most one general one and one per project.</summary>
    public static async Task<IReadOnlyList<ReadyModel>> ListReadyModelsAsync(
        this NpgsqlConnection db, Guid organizationId, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select id, project_id, version, base_model, vertex_model, vertex_endpoint as Endpoint, prompt_hash
            from   ml.fine_tuned_models
            where  organization_id = @organizationId
            and    status = 'ready'
            """;

        return (await db.QueryAsync<ReadyModel>(Sql.Command(sql, new { organizationId }, cancellationToken))).AsList();
    }

    /// <summary>Models of a scope that came into use in a period, oldest first.</summary>
    public static async Task<IReadOnlyList<NewlyUsedModel>> ListNewlyUsedModelsAsync(
        this NpgsqlConnection db, Scope scope, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select id, first_promoted_at as FirstPromotedAt
            from   ml.fine_tuned_models
            where  organization_id = @OrganizationId
            and    project_id is not distinct from @ProjectId
            and    first_promoted_at between @from and @to
            order  by first_promoted_at
            """;

        var args = new { scope.OrganizationId, scope.ProjectId, from, to };
        return (await db.QueryAsync<NewlyUsedModel>(Sql.Command(sql, args, cancellationToken))).AsList();
    }

    public static Task<ReadyModel?> FindReadyModelAsync(
        this NpgsqlConnection db, Scope scope, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select id, project_id, version, base_model, vertex_model, vertex_endpoint as Endpoint, prompt_hash
            from   ml.fine_tuned_models
            where  organization_id = @OrganizationId
            and    project_id is not distinct from @ProjectId
            and    status = 'ready'
            """;

        return db.QuerySingleOrDefaultAsync<ReadyModel>(Sql.Command(sql, scope, cancellationToken));
    }

    /// <summary>The tuned model that extractions of a scope use: its own, else the general one of its organization.</summary>
    public static async Task<ReadyModel?> FindModelInUseAsync(
        this NpgsqlConnection db, Scope scope, CancellationToken cancellationToken) =>
        await db.FindReadyModelAsync(scope, cancellationToken)
        ?? (scope.IsGeneral ? null : await db.FindReadyModelAsync(scope with { ProjectId = null }, cancellationToken));

    /// <summary>
    /// Of the models of a scope that are or were in use, the one that did best in its own evaluation: by entity F1, then by
    /// relationship F1, then the newest.
    /// </summary>
    /// <param name="minDocuments">A model that was compared on fewer documents shows nothing.</param>
    public static Task<ReadyModel?> FindBestModelAsync(
        this NpgsqlConnection db, Scope scope, int minDocuments, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select id, project_id, version, base_model, vertex_model, vertex_endpoint as Endpoint, prompt_hash
            from   ml.fine_tuned_models
            where  organization_id = @OrganizationId
            and    project_id is not distinct from @ProjectId
            and    first_promoted_at is not null
            and    status in ('ready', 'deprecated')
            and    (evaluation_metrics->>'documents')::int >= @minDocuments
            and    evaluation_metrics->>'entityF1' is not null
            order  by (evaluation_metrics->>'entityF1')::float8 desc,
                      (evaluation_metrics->>'relationshipF1')::float8 desc nulls last, version desc
            limit  1
            """;

        var args = new { scope.OrganizationId, scope.ProjectId, minDocuments };
        return db.QuerySingleOrDefaultAsync<ReadyModel>(Sql.Command(sql, args, cancellationToken));
    }

    /// <summary>
    /// Adds a model as <c>training</c>, with the next version of its scope; one that is there already stays as it is. Part of
    /// the caller's transaction, which holds the scope's lock to its end.
    /// </summary>
    public static async Task InsertModelAsync(
        this NpgsqlConnection db, NewModel model, CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.fine_tuned_models (
                id, organization_id, project_id, model_type, version, base_model, parent_model_id, tuning_job,
                prompt_hash, dataset_id, training_dataset_uri, training_examples, validation_examples, created_at,
                updated_at)
            select @Id, @organizationId, @projectId, @modelType,
                   (select coalesce(max(m.version), 0) + 1
                    from   ml.fine_tuned_models m
                    where  m.organization_id = @organizationId
                    and    m.project_id is not distinct from @projectId),
                   @BaseModel, @ParentModelId, @TuningJob, @PromptHash, @DatasetId, @TrainingDatasetUri,
                   @TrainingExamples, @ValidationExamples, clock_timestamp(), clock_timestamp()
            on     conflict (id) do nothing
            """;

        await db.LockScopeAsync(model.Scope, cancellationToken);
        var args = new DynamicParameters(new
        {
            model.Id,
            model.BaseModel,
            model.ParentModelId,
            model.TuningJob,
            model.PromptHash,
            model.DatasetId,
            model.TrainingDatasetUri,
            model.TrainingExamples,
            model.ValidationExamples,
            organizationId = model.Scope.OrganizationId,
            projectId = model.Scope.ProjectId,
            modelType = model.Scope.IsGeneral ? "general" : "project",
        });
        await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }

    /// <summary>What the finished job left, on a model that is still <c>training</c>.</summary>
    public static async Task<bool> RegisterResultAsync(
        this NpgsqlConnection db, RunId id, TunedResult result, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.fine_tuned_models
            set    vertex_model          = @VertexModel,
                   vertex_endpoint       = @VertexEndpoint,
                   checkpoints           = @CheckpointsJson::jsonb,
                   tuning_statistics     = @TuningStatisticsJson::jsonb,
                   training_started_at   = @StartedAt,
                   training_completed_at = @CompletedAt,
                   updated_at            = clock_timestamp()
            where  id     = @id
            and    status = 'training'
            """;

        var args = new DynamicParameters(result);
        args.AddDynamicParams(new { id });
        return await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken)) == 1;
    }

    /// <summary>
    /// The tuned model that extractions of a scope use; nobody replaces the scope's own before the caller's transaction ends.
    /// </summary>
    public static async Task<ReadyModel?> LockModelInUseAsync(
        this NpgsqlConnection db, Scope scope, CancellationToken cancellationToken)
    {
        await db.LockScopeAsync(scope, cancellationToken);
        return await db.FindModelInUseAsync(scope, cancellationToken);
    }

    /// <summary>What the evaluation came to, whatever then becomes of the model.</summary>
    /// <param name="verdict">As <see cref="ModelVerdict"/> has it.</param>
    public static Task StoreVerdictAsync(
        this NpgsqlConnection db, RunId id, string verdict, string reason, string metricsJson,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.fine_tuned_models
            set    verdict            = @verdict,
                   verdict_reason     = @reason,
                   evaluation_metrics = @metricsJson::jsonb,
                   updated_at         = clock_timestamp()
            where  id = @id
            """;

        return db.ExecuteAsync(Sql.Command(sql, new { id, verdict, reason, metricsJson }, cancellationToken));
    }

    /// <summary>A model that is done and does not go live by itself; a person may still promote it.</summary>
    public static Task<bool> KeepBackAsync(
        this NpgsqlConnection db, RunId id, string reason, CancellationToken cancellationToken) =>
        db.MoveAsync(id, ModelStatus.Training, ModelStatus.Deprecated, reason, cancellationToken);

    /// <summary>
    /// Makes a model ready and deprecates the one that was, in the caller's transaction. One that was deprecated comes back
    /// the same way: a rollback. Promotions of a scope queue on its lock, and a reader sees the old model or the new one.
    /// </summary>
    public static async Task<PromotionOutcome> PromoteAsync(
        this NpgsqlConnection db, RunId id, CancellationToken cancellationToken)
    {
        if (await db.FindModelAsync(id, cancellationToken) is not { } found)
        {
            return new PromotionOutcome.Refused($"model {id} does not exist");
        }

        await db.LockScopeAsync(found.Scope, cancellationToken);
        var model = await db.FindModelAsync(id, cancellationToken);
        if (model is not { Status: not ModelStatus.Ready })
        {
            return new PromotionOutcome.AlreadyReady();
        }

        if (model.Status == ModelStatus.Failed || model.VertexEndpoint is null)
        {
            return new PromotionOutcome.Refused($"model {id} is {model.Status} and has no endpoint to use");
        }

        // The old one first: the index that allows one ready model per scope looks at each row as it changes.
        var replaced = await db.DeprecateReadyAsync(model.Scope, cancellationToken);
        const string sql =
            """
            update ml.fine_tuned_models
            set    status            = 'ready',
                   status_reason     = null,
                   promoted_at       = clock_timestamp(),
                   first_promoted_at = coalesce(first_promoted_at, clock_timestamp()),
                   updated_at        = clock_timestamp()
            where  id = @id
            """;
        await db.ExecuteAsync(Sql.Command(sql, new { id }, cancellationToken));
        return new PromotionOutcome.Promoted(replaced);
    }

    /// <summary>Takes a ready model out of use; extractions fall back to the next tier.</summary>
    public static Task<bool> DeprecateAsync(
        this NpgsqlConnection db, RunId id, string reason, CancellationToken cancellationToken) =>
        db.MoveAsync(id, ModelStatus.Ready, ModelStatus.Deprecated, reason, cancellationToken);

    /// <summary>A model that never became ready, and never will; without one, nothing.</summary>
    public static Task<bool> MarkModelFailedAsync(
        this NpgsqlConnection db, RunId id, string reason, CancellationToken cancellationToken) =>
        db.MoveAsync(id, ModelStatus.Training, ModelStatus.Failed, reason, cancellationToken);

    /// <returns>False when the model was not <paramref name="from"/>.</returns>
    private static async Task<bool> MoveAsync(
        this NpgsqlConnection db, RunId id, string from, string to, string reason, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.fine_tuned_models
            set    status        = @to,
                   status_reason = @reason,
                   updated_at    = clock_timestamp()
            where  id     = @id
            and    status = @from
            """;

        return await db.ExecuteAsync(Sql.Command(sql, new { id, from, to, reason }, cancellationToken)) == 1;
    }

    private static async Task<RunId?> DeprecateReadyAsync(
        this NpgsqlConnection db, Scope scope, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.fine_tuned_models
            set    status        = 'deprecated',
                   status_reason = 'replaced by a newer model or by a rollback',
                   updated_at    = clock_timestamp()
            where  organization_id = @OrganizationId
            and    project_id is not distinct from @ProjectId
            and    status = 'ready'
            returning id
            """;

        return await db.QuerySingleOrDefaultAsync<RunId?>(Sql.Command(sql, scope, cancellationToken));
    }

    private static Task<int> LockScopeAsync(this NpgsqlConnection db, Scope scope, CancellationToken cancellationToken) =>
        db.ExecuteAsync(Sql.Command(
            "select pg_advisory_xact_lock(hashtextextended('ml.fine_tuned_models/' || @key, 0))",
            new { key = $"{scope.OrganizationId}/{scope.ProjectId}" },
            cancellationToken));
}
