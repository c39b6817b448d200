using System.Security.Cryptography;
using System.Text;
using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Datasets;

/// <summary>A row of <c>ml.datasets</c>, without its statistics.</summary>
/// <param name="ValidationGeneration">Null without such a file, and in rows from before it was recorded.</param>
/// <param name="TestGeneration">The same.</param>
public sealed record Dataset(
    Guid Id,
    Guid OrganizationId,
    Guid? ProjectId,
    RunId RunId,
    string Uri,
    string PromptHash,
    string TrainUri,
    long TrainGeneration,
    string TrainSha256,
    long TrainBytes,
    int TrainExamples,
    string? ValidationUri,
    long? ValidationGeneration,
    string? ValidationSha256,
    long? ValidationBytes,
    int ValidationExamples,
    string? TestUri,
    long? TestGeneration,
    string? TestSha256,
    long? TestBytes,
    int TestExamples,
    long EstimatedTokens)
{
    /// <summary>Where a file of the dataset is; null when the dataset has none of that name.</summary>
    /// <param name="file">One of <see cref="DatasetFiles"/>.</param>
    public string? UriOf(string file) => file switch
    {
        DatasetFiles.Train => TrainUri,
        DatasetFiles.Validation => ValidationUri,
        DatasetFiles.Test => TestUri,
        DatasetFiles.Metadata => Uri + file,
        _ => null,
    };

    /// <param name="uri">Of the folder that was exported to.</param>
    public static Dataset Of(Guid id, RunId run, Scope scope, string uri, ExportResult.Exported exported)
    {
        var counts = exported.Content.Counts;
        return new(
            id, scope.OrganizationId, scope.ProjectId, run, uri, exported.Content.PromptHash, exported.Train.Uri,
            exported.Train.Generation, exported.Train.Sha256, exported.Train.Bytes, counts.TrainExamples,
            exported.Validation?.Uri, exported.Validation?.Generation, exported.Validation?.Sha256, exported.Validation?.Bytes,
            counts.ValidationExamples, exported.Test?.Uri, exported.Test?.Generation, exported.Test?.Sha256,
            exported.Test?.Bytes, counts.TestExamples, counts.EstimatedTrainTokens);
    }
}

/// <summary>Where one example of a dataset came from.</summary>
/// <param name="Split"><c>train</c>, <c>validation</c> or <c>test</c>.</param>
/// <param name="ContentHash">SHA-256 of the example's text and answer.</param>
public readonly record struct ExampleOrigin(
    Guid JobId, Guid ChunkId, Guid DocumentId, string Split, byte[] ContentHash)
{
    public static byte[] HashOf(string text, ReadOnlySpan<byte> answer)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(text));
        hash.AppendData([0]);
        hash.AppendData(answer);
        return hash.GetHashAndReset();
    }
}

/// <summary>Every statement that touches <c>ml.datasets</c> and <c>ml.dataset_examples</c>.</summary>
public static class DatasetQueries
{
    /// <summary>What refuses a dataset with an example of a document that was forgotten meanwhile.</summary>
    public const string NoForgottenDocument = "no_forgotten_document";

    public static Task<Dataset?> FindDatasetAsync(
        this NpgsqlConnection db, Guid id, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select id, organization_id, project_id, run_id, uri, prompt_hash, train_uri, train_generation, train_sha256,
                   train_bytes, train_examples, validation_uri, validation_generation, validation_sha256,
                   validation_bytes, validation_examples, test_uri, test_generation, test_sha256, test_bytes, test_examples,
                   estimated_tokens
            from   ml.datasets
            where  id = @id
            """;

        return db.QuerySingleOrDefaultAsync<Dataset>(Sql.Command(sql, new { id }, cancellationToken));
    }

    public static Task InsertDatasetAsync(
        this NpgsqlConnection db, Dataset dataset, long seed, DateTimeOffset snapshotAt, string statisticsJson,
        DateTimeOffset now, CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.datasets (
                id, organization_id, project_id, run_id, uri, seed, prompt_hash, snapshot_at, train_uri,
                train_generation, train_sha256, train_bytes, train_examples, validation_uri,
                validation_generation, validation_sha256, validation_bytes, validation_examples, test_uri,
                test_generation, test_sha256, test_bytes, test_examples, estimated_tokens, statistics, created_at)
            values (
                @Id, @OrganizationId, @ProjectId, @RunId, @Uri, @seed, @PromptHash, @snapshotAt, @TrainUri,
                @TrainGeneration, @TrainSha256, @TrainBytes, @TrainExamples, @ValidationUri,
                @ValidationGeneration, @ValidationSha256, @ValidationBytes, @ValidationExamples, @TestUri,
                @TestGeneration, @TestSha256, @TestBytes, @TestExamples, @EstimatedTokens, @statisticsJson::jsonb, @now)
            """;

        var args = new DynamicParameters(dataset);
        args.AddDynamicParams(new { seed, snapshotAt, statisticsJson, now });
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }

    /// <summary>Estimated tokens of a training example: of the scope's last dataset, else of its organization's last one.</summary>
    /// <returns>Null when the organization has none.</returns>
    public static Task<double?> FindTokensPerExampleAsync(
        this NpgsqlConnection db, Scope scope, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select estimated_tokens::float8 / train_examples
            from   ml.datasets
            where  organization_id = @OrganizationId
            and    train_examples > 0
            order  by project_id is not distinct from @ProjectId desc, created_at desc
            limit  1
            """;

        return db.QuerySingleOrDefaultAsync<double?>(Sql.Command(sql, scope, cancellationToken));
    }

    /// <summary>What <c>metadata.json</c> of a dataset says.</summary>
    public static async Task<DatasetMetadata> GetMetadataAsync(
        this NpgsqlConnection db, Guid id, CancellationToken cancellationToken)
    {
        const string sql = "select statistics::text from ml.datasets where id = @id";
        return DatasetMetadata.FromJson(
            await db.QuerySingleAsync<string>(Sql.Command(sql, new { id }, cancellationToken)));
    }

    /// <summary>Candidates that did not become examples, by reason.</summary>
    public static async Task<IReadOnlyDictionary<string, int>> ReadExcludedAsync(
        this NpgsqlConnection db, Guid datasetId, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select e.key, e.value::int
            from   ml.datasets d
            cross  join lateral jsonb_each_text(d.statistics->'excluded') e
            where  d.id = @datasetId
            order  by e.key
            """;

        var rows = await db.QueryAsync<(string Reason, int Count)>(
            Sql.Command(sql, new { datasetId }, cancellationToken));
        return rows.ToDictionary(r => r.Reason, r => r.Count);
    }

    /// <summary>Documents of a dataset's held-out examples, by the lower-case hex of their content hash.</summary>
    public static async Task<IReadOnlyDictionary<string, Guid>> ListTestDocumentsAsync(
        this NpgsqlConnection db, Guid datasetId, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select encode(content_hash, 'hex') as hash, document_id
            from   ml.dataset_examples
            where  dataset_id = @datasetId
            and    split = 'test'
            """;

        var rows = await db.QueryAsync<(string Hash, Guid Document)>(
            Sql.Command(sql, new { datasetId }, cancellationToken));
        return rows.ToDictionary(row => row.Hash, row => row.Document);
    }

    /// <summary>
    /// Those of some documents that models, or the models that they were tuned from, were given as training or validation: before
    /// documents were held out, or when fewer were.
    /// </summary>
    public static async Task<IReadOnlySet<Guid>> ListLearntDocumentsAsync(
        this NpgsqlConnection db, IReadOnlyCollection<RunId> models, IReadOnlyCollection<Guid> documents,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            with recursive lineage as (
                select m.parent_model_id, m.dataset_id
                from   ml.fine_tuned_models m
                where  m.id = any(@models)
                union
                select m.parent_model_id, m.dataset_id
                from   ml.fine_tuned_models m
                join   lineage l on l.parent_model_id = m.id
            )
            select distinct e.document_id
            from   ml.dataset_examples e
            where  e.dataset_id in (select dataset_id from lineage)
            and    e.split <> 'test'
            and    e.document_id = any(@documents)
            """;

        var args = new { models = models.Select(model => model.Value).ToArray(), documents = documents.ToArray() };
        return (await db.QueryAsync<Guid>(Sql.Command(sql, args, cancellationToken))).ToHashSet();
    }

    /// <summary>Adds where examples of one dataset came from. By insert: a table with row security takes no <c>copy</c>.</summary>
    public static Task InsertOriginsAsync(
        this NpgsqlConnection db, Guid datasetId, Guid organizationId, IReadOnlyCollection<ExampleOrigin> origins,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.dataset_examples (
                dataset_id, organization_id, job_id, chunk_id, document_id, split, content_hash)
            select @datasetId, @organizationId, o.job_id, o.chunk_id, o.document_id, o.split, o.content_hash
            from   unnest(@jobs, @chunks, @documents, @splits, @hashes)
                   as o (job_id, chunk_id, document_id, split, content_hash)
            """;

        var args = new
        {
            datasetId,
            organizationId,
            jobs = origins.Select(o => o.JobId).ToArray(),
            chunks = origins.Select(o => o.ChunkId).ToArray(),
            documents = origins.Select(o => o.DocumentId).ToArray(),
            splits = origins.Select(o => o.Split).ToArray(),
            hashes = origins.Select(o => o.ContentHash).ToArray(),
        };
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }
}
