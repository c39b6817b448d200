using System.Text.Json;
using System.Text.Json.Serialization;
using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Evaluation;

/// <summary>One model's answer to one held-out chunk, as it is kept: counts, and no text.</summary>
/// <param name="Position">Of the chunk in <c>test.jsonl</c>.</param>
/// <param name="Problem">Why the answer cannot be read; null when it can.</param>
/// <param name="OutputTokens">Answer and thoughts: both are paid for.</param>
/// <param name="CostUsd">Null when the catalogue does not know the price.</param>
public sealed record EvaluationAnswer(
    string Role, int Position, ChunkScore Score, string? Problem, int LatencyMs, int InputTokens, int OutputTokens,
    decimal? CostUsd);

/// <summary>One model of an evaluation, for people.</summary>
/// <param name="Scores">Null until the evaluation is over, and for a model that never answered.</param>
/// <param name="Comparison">New model against this one; null for the new model itself.</param>
/// <param name="IsReference">Whether the verdict is about this one.</param>
/// <param name="Answers">How many chunks it has answered until now.</param>
/// <param name="CostUsd">Of its answers.</param>
public sealed record EvaluatedModel(
    EvaluationSubject Subject, EvaluationScores? Scores, EvaluationComparison? Comparison, bool IsReference, int Answers,
    decimal CostUsd);

/// <summary>Every statement that touches <c>ml.model_evaluations</c> and <c>ml.evaluation_answers</c>.</summary>
public static class EvaluationQueries
{
    /// <summary>Notes which models are compared. Those that are noted already stay as they are.</summary>
    /// <param name="modelId">The new model.</param>
    public static Task PlanEvaluationAsync(
        this NpgsqlConnection db, RunId modelId, Guid datasetId, IReadOnlyList<EvaluationSubject> subjects,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.model_evaluations (
                id, organization_id, model_id, compared_with, dataset_id, subject_model_id, subject_version, base_model,
                endpoint, created_at)
            select gen_random_uuid(), m.organization_id, m.id, s.role, @datasetId, s.model_id, s.version, s.base_model,
                   s.endpoint, clock_timestamp()
            from   ml.fine_tuned_models m
            cross  join unnest(@roles, @models, @versions, @baseModels, @endpoints)
                   as s (role, model_id, version, base_model, endpoint)
            where  m.id = @modelId
            on     conflict (model_id, compared_with) do nothing
            """;

        var args = new
        {
            modelId,
            datasetId,
            roles = subjects.Select(subject => subject.Role).ToArray(),
            models = subjects.Select(subject => subject.ModelId?.Value).ToArray(),
            versions = subjects.Select(subject => subject.Version).ToArray(),
            baseModels = subjects.Select(subject => subject.BaseModel).ToArray(),
            endpoints = subjects.Select(subject => subject.Endpoint).ToArray(),
        };
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }

    /// <summary>The models that a new model is compared with, and itself.</summary>
    public static async Task<IReadOnlyList<EvaluationSubject>> ListSubjectsAsync(
        this NpgsqlConnection db, RunId modelId, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select compared_with as role, subject_model_id as model_id, subject_version as version, base_model, endpoint,
                   problem
            from   ml.model_evaluations
            where  model_id = @modelId
            """;

        return (await db.QueryAsync<EvaluationSubject>(Sql.Command(sql, new { modelId }, cancellationToken))).AsList();
    }

    /// <summary>A model that cannot be asked any more: the evaluation goes on without it.</summary>
    public static Task MarkSubjectGoneAsync(
        this NpgsqlConnection db, RunId modelId, string role, string problem, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.model_evaluations
            set    problem = @problem
            where  model_id = @modelId
            and    compared_with = @role
            """;

        return db.ExecuteAsync(Sql.Command(sql, new { modelId, role, problem }, cancellationToken));
    }

    /// <summary>Keeps an answer. One that is there already, by another worker, stays.</summary>
    /// <param name="contentHash">Of the chunk, lower-case hex.</param>
    public static Task AddAnswerAsync(
        this NpgsqlConnection db, RunId modelId, EvaluationAnswer answer, string contentHash,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.evaluation_answers (
                model_id, organization_id, compared_with, position, content_hash, score, problem, latency_ms, input_tokens,
                output_tokens, cost_usd, created_at)
            select id, organization_id, @Role, @Position, decode(@contentHash, 'hex'), @scoreJson::jsonb, @Problem, @LatencyMs,
                   @InputTokens, @OutputTokens, @CostUsd, clock_timestamp()
            from   ml.fine_tuned_models
            where  id = @modelId
            on     conflict (model_id, compared_with, position) do nothing
            """;

        var args = new
        {
            modelId,
            answer.Role,
            answer.Position,
            contentHash,
            scoreJson = JsonSerializer.Serialize(answer.Score, EvaluationJson.Default.ChunkScore),
            answer.Problem,
            answer.LatencyMs,
            answer.InputTokens,
            answer.OutputTokens,
            answer.CostUsd,
        };
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }

    /// <summary>
    /// Takes over what a model has answered to the same chunks in other evaluations: it is paid for, and costs nothing here.
    /// </summary>
    public static Task AddRecordedAnswersAsync(
        this NpgsqlConnection db, RunId modelId, EvaluationSubject subject, IReadOnlyCollection<HeldOutChunk> chunks,
        CancellationToken cancellationToken)
    {
        // A chunk's document may be another one since, of the same text.
        const string sql =
            """
            insert into ml.evaluation_answers (
                model_id, organization_id, compared_with, position, content_hash, score, problem, latency_ms, input_tokens,
                output_tokens, cost_usd, created_at)
            select m.id, m.organization_id, @Role, c.position, r.content_hash,
                   jsonb_set(r.score, '{documentId}', to_jsonb(c.document_id)), r.problem, r.latency_ms, 0, 0, 0,
                   clock_timestamp()
            from   ml.fine_tuned_models m
            cross  join unnest(@positions, @hashes, @documents) as c (position, content_hash, document_id)
            cross  join lateral (
                       select a.content_hash, a.score, a.problem, a.latency_ms
                       from   ml.model_evaluations e
                       join   ml.evaluation_answers a on a.model_id = e.model_id and a.compared_with = e.compared_with
                       where  e.subject_model_id = @ModelId
                       and    e.model_id <> m.id
                       and    a.content_hash = decode(c.content_hash, 'hex')
                       order  by a.created_at desc, a.model_id
                       limit  1) r
            where  m.id = @newModel
            on     conflict (model_id, compared_with, position) do nothing
            """;

        var args = new
        {
            newModel = modelId,
            subject.Role,
            subject.ModelId,
            positions = chunks.Select(chunk => chunk.Position).ToArray(),
            hashes = chunks.Select(chunk => chunk.ContentHash).ToArray(),
            documents = chunks.Select(chunk => chunk.DocumentId).ToArray(),
        };
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }

    /// <summary>All answers of an evaluation until now: as many as its chunks times its models.</summary>
    public static async Task<IReadOnlyList<EvaluationAnswer>> ListAnswersAsync(
        this NpgsqlConnection db, RunId modelId, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select compared_with as role, position, score::text as score_json, problem, latency_ms, input_tokens,
                   output_tokens, cost_usd
            from   ml.evaluation_answers
            where  model_id = @modelId
            order  by compared_with, position
            """;

        var rows = await db.QueryAsync<(
            string Role, int Position, string ScoreJson, string? Problem, int LatencyMs, int InputTokens, int OutputTokens,
            decimal? CostUsd)>(Sql.Command(sql, new { modelId }, cancellationToken));
        return
        [
            .. rows.Select(row => new EvaluationAnswer(
                row.Role, row.Position, Read(row.ScoreJson, EvaluationJson.Default.ChunkScore), row.Problem, row.LatencyMs,
                row.InputTokens, row.OutputTokens, row.CostUsd)),
        ];
    }

    /// <summary>What the answers came to, in the transaction that decides about the new model.</summary>
    public static async Task StoreScoresAsync(
        this NpgsqlConnection db, RunId modelId, EvaluationReport report, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.model_evaluations e
            set    scores       = s.scores::jsonb,
                   comparison   = s.comparison::jsonb,
                   is_reference = s.is_reference,
                   scored_at    = clock_timestamp()
            from   unnest(@roles, @scores, @comparisons, @references) as s (role, scores, comparison, is_reference)
            where  e.model_id = @modelId
            and    e.compared_with = s.role
            """;

        var args = new
        {
            modelId,
            roles = report.Models.Select(each => each.Role).ToArray(),
            scores = report.Models
                .Select(each => JsonSerializer.Serialize(each.Scores, EvaluationJson.Default.EvaluationScores)).ToArray(),
            comparisons = report.Models
                .Select(each => each.Comparison is { } comparison
                    ? JsonSerializer.Serialize(comparison, EvaluationJson.Default.EvaluationComparison)
                    : null)
                .ToArray(),
            references = report.Models.Select(each => each.Role == report.Reference).ToArray(),
        };
        await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }

    /// <summary>An evaluation for people: the new model first, then live, best, general and base.</summary>
    public static async Task<IReadOnlyList<EvaluatedModel>> ListEvaluatedModelsAsync(
        this NpgsqlConnection db, RunId modelId, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select e.compared_with as role, e.subject_model_id as model_id, e.subject_version as version, e.base_model,
                   e.endpoint, e.problem, e.scores::text as scores_json, e.comparison::text as comparison_json,
                   e.is_reference, coalesce(a.answers, 0) as answers, coalesce(a.cost_usd, 0) as cost_usd
            from   ml.model_evaluations e
            left   join (
                       select compared_with, count(*)::int as answers, sum(cost_usd) as cost_usd
                       from   ml.evaluation_answers
                       where  model_id = @modelId
                       group  by compared_with) a on a.compared_with = e.compared_with
            where  e.model_id = @modelId
            order  by array_position(array['self', 'live', 'best', 'general', 'base'], e.compared_with)
            """;

        var rows = await db.QueryAsync<EvaluatedRow>(Sql.Command(sql, new { modelId }, cancellationToken));
        return
        [
            .. rows.Select(row => new EvaluatedModel(
                new(row.Role, row.ModelId, row.Version, row.BaseModel, row.Endpoint, row.Problem),
                row.ScoresJson is { } scores ? Read(scores, EvaluationJson.Default.EvaluationScores) : null,
                row.ComparisonJson is { } comparison ? Read(comparison, EvaluationJson.Default.EvaluationComparison) : null,
                row.IsReference, row.Answers, row.CostUsd)),
        ];
    }

    private static T Read<T>(string json, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(json, type) ?? throw new JsonException($"{typeof(T).Name} is null");

    private sealed record EvaluatedRow(
        string Role, RunId? ModelId, int? Version, string BaseModel, string? Endpoint, string? Problem,
        string? ScoresJson, string? ComparisonJson, bool IsReference, int Answers, decimal CostUsd);
}

// What is computed from the counts is not stored beside them.
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web, IgnoreReadOnlyProperties = true, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ChunkScore))]
[JsonSerializable(typeof(EvaluationScores))]
[JsonSerializable(typeof(EvaluationComparison))]
internal sealed partial class EvaluationJson : JsonSerializerContext;
