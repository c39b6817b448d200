using Dapper;
using FeedbackLoop.Datasets;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Lineage.Forgetting;

/// <summary>
/// Every statement that touches <c>ml.forgotten_documents</c> and <c>ml.objects_to_delete</c>, and those that take a
/// document out of other tables of <c>ml</c>.
/// </summary>
public static class ForgettingQueries
{
    private const string Columns =
        """
        document_id, organization_id, project_id, requested_by, reason, requested_at, rewritten, waits_for, completed_at
        """;

    public static Task<ForgottenDocument?> FindForgottenAsync(
        this NpgsqlConnection db, Guid documentId, CancellationToken cancellationToken) =>
        db.QuerySingleOrDefaultAsync<ForgottenDocument>(Sql.Command(
            $"select {Columns} from ml.forgotten_documents where document_id = @documentId", new { documentId },
            cancellationToken));

    /// <summary>Documents whose forgetting is not complete and is to be looked at again.</summary>
    public static async Task<IReadOnlyList<Guid>> ListOpenForgettingsAsync(
        this NpgsqlConnection db, int limit, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select document_id
            from   ml.forgotten_documents
            where  completed_at is null
            and    next_look_at <= clock_timestamp()
            order  by next_look_at
            limit  @limit
            """;

        return (await db.QueryAsync<Guid>(Sql.Command(sql, new { limit }, cancellationToken))).AsList();
    }

    /// <summary>Nothing that a forgetting must not miss is written until the caller's transaction ends.</summary>
    internal static Task LockForgettingAsync(this NpgsqlConnection db, CancellationToken cancellationToken) =>
        db.ExecuteAsync(Sql.Command("select ml.lock_forgetting(is_shared => false)", null, cancellationToken));

    /// <param name="untilSweep">The recorder goes on by itself; the sweep comes after it.</param>
    /// <returns>False when the document was forgotten before.</returns>
    internal static async Task<bool> InsertForgottenAsync(
        this NpgsqlConnection db, Guid documentId, Scope scope, string actor, string reason, DateTimeOffset now,
        TimeSpan untilSweep, CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.forgotten_documents (
                document_id, organization_id, project_id, requested_by, reason, requested_at, next_look_at)
            values (@documentId, @OrganizationId, @ProjectId, @actor, @reason, @now, clock_timestamp() + @untilSweep)
            on     conflict (document_id) do nothing
            """;

        var args = new { documentId, scope.OrganizationId, scope.ProjectId, actor, reason, now, untilSweep };
        return await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken)) == 1;
    }

    /// <summary>Has the project counted anew: a forgotten document is nothing to train on.</summary>
    internal static Task CountAnewAsync(
        this NpgsqlConnection db, Scope scope, DateTimeOffset now, CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.knowledge_changes (organization_id, project_id, subject, subject_id, at)
            select organization_id, id, 'project', id, @now
            from   kb.projects
            where  id = @ProjectId
            and    organization_id = @OrganizationId
            """;

        return db.ExecuteAsync(Sql.Command(
            sql, new { scope.OrganizationId, scope.ProjectId, now }, cancellationToken));
    }

    /// <summary>Why the answers about a document could not be read may quote it.</summary>
    internal static Task ClearProblemsAsync(
        this NpgsqlConnection db, Guid documentId, Guid organizationId, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.extraction_results r
            set    problem = 'its document was forgotten'
            where  r.organization_id = @organizationId
            and    r.problem is not null
            and    r.job_id in (
                       select e.job_id from ml.dataset_examples e where e.document_id = @documentId
                       union
                       select j.id from kb.object_extraction_jobs j where j.document_id = @documentId
                       union
                       select j.id
                       from   kb.chunks c
                       join   kb.object_extraction_jobs j on j.chunk_id = c.id
                       where  c.document_id = @documentId
                       union
                       select j.id
                       from   kb.object_extraction_jobs j
                       where  lower(j.source_id) = @documentId::text
                       union
                       select j.id
                       from   kb.chunks c
                       join   kb.object_extraction_jobs j on lower(j.source_id) = c.id::text
                       where  c.document_id = @documentId)
            """;

        return db.ExecuteAsync(Sql.Command(sql, new { documentId, organizationId }, cancellationToken));
    }

    /// <summary>
    /// Marks the models that learnt from documents, and those on top of them. The caller holds the lock.
    /// </summary>
    /// <param name="cause"><c>forgotten</c> or <c>deleted</c>.</param>
    /// <returns>Models that learnt from one of them and were not marked before.</returns>
    internal static Task<int> TaintModelsAsync(
        this NpgsqlConnection db, Guid[] documents, string cause, CancellationToken cancellationToken) =>
        db.ExecuteScalarAsync<int>(Sql.Command(
            "select ml.taint_models(@documents, @cause)", new { documents, cause }, cancellationToken));

    /// <summary>Some datasets that hold examples of a document, those apart that are named.</summary>
    internal static async Task<IReadOnlyList<Guid>> ListHoldersAsync(
        this NpgsqlConnection db, Guid documentId, Guid organizationId, Guid[] except, int limit,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            select distinct dataset_id
            from   ml.dataset_examples
            where  document_id = @documentId
            and    organization_id = @organizationId
            and    dataset_id <> all (@except)
            order  by dataset_id
            limit  @limit
            """;

        var args = new { documentId, organizationId, except, limit };
        return (await db.QueryAsync<Guid>(Sql.Command(sql, args, cancellationToken))).AsList();
    }

    /// <summary>Examples of a document in a dataset, by split.</summary>
    internal static async Task<IReadOnlyDictionary<string, int>> CountExamplesAsync(
        this NpgsqlConnection db, Guid datasetId, Guid documentId, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select split, count(*)::int as examples
            from   ml.dataset_examples
            where  dataset_id = @datasetId
            and    document_id = @documentId
            group  by split
            """;

        var rows = await db.QueryAsync<(string Split, int Examples)>(
            Sql.Command(sql, new { datasetId, documentId }, cancellationToken));
        return rows.ToDictionary(row => row.Split, row => row.Examples);
    }

    /// <summary>
    /// The examples that stay in a dataset, as <see cref="StoredExample.Key"/> has them: eight bytes each.
    /// </summary>
    internal static async Task<HashSet<ulong>> ReadRemainingAsync(
        this NpgsqlConnection db, Guid datasetId, Guid documentId, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select content_hash
            from   ml.dataset_examples
            where  dataset_id = @datasetId
            and    document_id <> @documentId
            """;

        var keys = new HashSet<ulong>();
        await using var command = new NpgsqlCommand(sql, db);
        command.Parameters.AddWithValue("datasetId", datasetId);
        command.Parameters.AddWithValue("documentId", documentId);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            keys.Add(StoredExample.KeyOf(rows.GetFieldValue<byte[]>(0)));
        }

        return keys;
    }

    /// <summary>The state of a run, which does not change before the caller's transaction ends.</summary>
    internal static Task<string> LockRunAsync(
        this NpgsqlConnection db, RunId id, CancellationToken cancellationToken) =>
        db.QuerySingleAsync<string>(Sql.Command(
            "select state from ml.training_runs where id = @id for update", new { id }, cancellationToken));

    /// <summary>
    /// A worker that has claimed a run and read where its files were must not go on with them: its claim is lost, and
    /// the next one reads anew.
    /// </summary>
    internal static Task FenceRunAsync(this NpgsqlConnection db, RunId id, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    epoch       = epoch + 1,
                   lease_until = null,
                   updated_at  = clock_timestamp()
            where  id = @id
            and    state in ('exported', 'create_unknown')
            """;

        return db.ExecuteAsync(Sql.Command(sql, new { id }, cancellationToken));
    }

    /// <summary>Records where a dataset's files are now, and what they hold.</summary>
    /// <param name="old">As it was read: another forgetting may have been quicker.</param>
    /// <param name="statisticsJson">Null: they stay as they are.</param>
    /// <returns>False when the dataset is not what it was.</returns>
    internal static async Task<bool> RewriteDatasetAsync(
        this NpgsqlConnection db, Dataset old, Dataset now, string? statisticsJson, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.datasets
            set    train_uri = @TrainUri, train_generation = @TrainGeneration, train_sha256 = @TrainSha256,
                   train_bytes = @TrainBytes, train_examples = @TrainExamples, validation_uri = @ValidationUri,
                   validation_generation = @ValidationGeneration, validation_sha256 = @ValidationSha256,
                   validation_bytes = @ValidationBytes, validation_examples = @ValidationExamples, test_uri = @TestUri,
                   test_generation = @TestGeneration, test_sha256 = @TestSha256, test_bytes = @TestBytes,
                   test_examples = @TestExamples, estimated_tokens = @EstimatedTokens,
                   statistics = coalesce(@statisticsJson::jsonb, statistics)
            where  id = @Id
            and    train_uri = @oldTrain
            and    validation_uri is not distinct from @oldValidation
            and    test_uri is not distinct from @oldTest
            """;

        var args = new DynamicParameters(now);
        args.AddDynamicParams(new
        {
            statisticsJson,
            oldTrain = old.TrainUri,
            oldValidation = old.ValidationUri,
            oldTest = old.TestUri,
        });
        if (await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken)) == 0)
        {
            return false;
        }

        await db.ExecuteAsync(Sql.Command(
            "update ml.fine_tuned_models set training_dataset_uri = @TrainUri where dataset_id = @Id",
            new { now.TrainUri, now.Id }, cancellationToken));
        return true;
    }

    /// <summary>
    /// Takes a document's examples out of a dataset's rows, and what models answered about its held-out ones.
    /// </summary>
    internal static Task RemoveExamplesAsync(
        this NpgsqlConnection db, Guid datasetId, Guid documentId, CancellationToken cancellationToken)
    {
        const string sql =
            """
            delete from ml.evaluation_answers a
            using  ml.fine_tuned_models m
            where  m.dataset_id = @datasetId
            and    a.model_id = m.id
            and    a.score->>'documentId' = @documentId::text;
            delete from ml.dataset_examples
            where  dataset_id = @datasetId
            and    document_id = @documentId;
            update ml.forgotten_documents
            set    rewritten = rewritten + 1
            where  document_id = @documentId
            """;

        return db.ExecuteAsync(Sql.Command(sql, new { datasetId, documentId }, cancellationToken));
    }

    /// <summary>Notes objects that nobody names any more, in the transaction that stops naming them.</summary>
    internal static Task AddObjectsToDeleteAsync(
        this NpgsqlConnection db, Guid organizationId, Guid documentId, IReadOnlyCollection<(string Uri, long? Generation)> objects,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.objects_to_delete (organization_id, document_id, uri, generation, at)
            select @organizationId, @documentId, o.uri, o.generation, clock_timestamp()
            from   unnest(@uris, @generations) as o (uri, generation)
            """;

        var args = new
        {
            organizationId,
            documentId,
            uris = objects.Select(each => each.Uri).ToArray(),
            generations = objects.Select(each => each.Generation).ToArray(),
        };
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }

    /// <summary>Notes the copies of train.jsonl that a run's attempts named. None of them is open.</summary>
    internal static Task AddCopiesToDeleteAsync(
        this NpgsqlConnection db, RunId runId, Guid documentId, CancellationToken cancellationToken)
    {
        // An absent attempt has its time already, and a proof that rests on it.
        const string sql =
            """
            insert into ml.objects_to_delete (organization_id, document_id, uri, generation, at)
            select organization_id, @documentId, dataset_uri, dataset_generation, clock_timestamp()
            from   ml.tuning_attempts
            where  run_id = @runId;
            update ml.tuning_attempts
            set    dataset_deleted_at = clock_timestamp()
            where  run_id = @runId
            and    dataset_deleted_at is null
            """;

        return db.ExecuteAsync(Sql.Command(sql, new { runId, documentId }, cancellationToken));
    }

    internal static async Task<IReadOnlyList<ObjectToDelete>> ListObjectsToDeleteAsync(
        this NpgsqlConnection db, Guid documentId, int limit, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select id, uri, generation
            from   ml.objects_to_delete
            where  document_id = @documentId
            order  by id
            limit  @limit
            """;

        return (await db.QueryAsync<ObjectToDelete>(
            Sql.Command(sql, new { documentId, limit }, cancellationToken))).AsList();
    }

    internal static Task StrikeOffAsync(this NpgsqlConnection db, long id, CancellationToken cancellationToken) =>
        db.ExecuteAsync(Sql.Command("delete from ml.objects_to_delete where id = @id", new { id }, cancellationToken));

    /// <summary>
    /// Runs that may have read the document before it was forgotten, and are not over. Whoever asked for a run did so
    /// by another clock: a minute stands for the difference.
    /// </summary>
    internal static async Task<IReadOnlyList<LiveRun>> ListRunsFromBeforeAsync(
        this NpgsqlConnection db, ForgottenDocument document, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select id, state
            from   ml.training_runs
            where  organization_id = @OrganizationId
            and    (project_id is null or @ProjectId::uuid is null or project_id = @ProjectId)
            and    created_at <= @RequestedAt + interval '1 minute'
            and    not ml.run_is_final(state)
            order  by created_at
            limit  20
            """;

        var args = new { document.OrganizationId, document.ProjectId, document.RequestedAt };
        return (await db.QueryAsync<LiveRun>(Sql.Command(sql, args, cancellationToken))).AsList();
    }

    /// <summary>Of these addresses of an organization, those that a dataset or an attempt names.</summary>
    internal static async Task<IReadOnlySet<string>> ListNamedAsync(
        this NpgsqlConnection db, Guid organizationId, string[] uris, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select u.uri
            from   ml.datasets d
            cross  join lateral (values (d.train_uri), (d.validation_uri), (d.test_uri)) as u (uri)
            where  d.organization_id = @organizationId
            and    u.uri = any (@uris)
            union
            select a.dataset_uri
            from   ml.tuning_attempts a
            where  a.organization_id = @organizationId
            and    a.dataset_uri = any (@uris)
            """;

        return (await db.QueryAsync<string>(Sql.Command(sql, new { organizationId, uris }, cancellationToken))).ToHashSet();
    }

    /// <summary>Of these versions of an organization's runs, those of runs that are not over.</summary>
    internal static async Task<IReadOnlySet<long>> ListLiveVersionsAsync(
        this NpgsqlConnection db, Guid organizationId, long[] versions, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select version
            from   ml.training_runs
            where  organization_id = @organizationId
            and    version = any (@versions)
            and    not ml.run_is_final(state)
            """;

        return (await db.QueryAsync<long>(Sql.Command(sql, new { organizationId, versions }, cancellationToken))).ToHashSet();
    }

    internal static Task PostponeForgettingAsync(
        this NpgsqlConnection db, Guid documentId, string waitsFor, TimeSpan delay, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.forgotten_documents
            set    waits_for    = @waitsFor,
                   next_look_at = clock_timestamp() + @delay
            where  document_id = @documentId
            and    completed_at is null
            """;

        return db.ExecuteAsync(Sql.Command(sql, new { documentId, waitsFor, delay }, cancellationToken));
    }

    /// <returns>False when it was complete before.</returns>
    internal static async Task<bool> CompleteForgettingAsync(
        this NpgsqlConnection db, Guid documentId, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.forgotten_documents
            set    completed_at = clock_timestamp(),
                   waits_for    = null
            where  document_id = @documentId
            and    completed_at is null
            """;

        return await db.ExecuteAsync(Sql.Command(sql, new { documentId }, cancellationToken)) == 1;
    }
}
