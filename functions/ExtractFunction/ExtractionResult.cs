using System.Text.Json;
using System.Text.Json.Serialization;
using Dapper;
using FeedbackLoop.Extraction;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Platform;
using FeedbackLoop.Selection;
using Npgsql;

namespace FeedbackLoop.Extract;

/// <summary>A row of <c>ml.extraction_results</c>, and the <c>debug_info</c> of the job.</summary>
/// <param name="LatencyMs">Of both answers, when there were two; as are the tokens.</param>
internal sealed record ExtractionResult(
    Guid Id, Guid OrganizationId, Guid ProjectId, Guid JobId, string ChosenTier, Guid? ChosenModelId, string ChosenReason,
    string AnsweredTier, Guid? AnsweredModelId, int? AnsweredVersion, string BaseModel, string? Endpoint,
    string? ModelVersion, string PromptHash, int LatencyMs, int InputTokens, int OutputTokens, bool IsValid, string? Problem,
    bool IsRepaired, IReadOnlyList<Fallback> Fallbacks, IReadOnlyDictionary<string, int> Dropped, int EntityCount,
    int RelationshipCount, int NeedsReviewCount, DateTimeOffset CreatedAt)
{
    /// <param name="found">Null when the answer cannot be read.</param>
    public static ExtractionResult Of(
        ExtractionJob job, ExtractionPrompt prompt, ModelChoice choice, TieredAnswer answer,
        AcceptedExtraction? found, DateTimeOffset now) => new(
            Guid.CreateVersion7(now), job.OrganizationId, job.ProjectId, job.Id, choice.Tier, choice.ModelId?.Value,
            choice.Reason, answer.Answered.Tier, answer.Answered.ModelId?.Value, answer.Answered.Version,
            answer.Answered.BaseModel, answer.Answered.Endpoint, answer.Answers[^1].ModelVersion, prompt.Hash,
            (int)answer.Answers.Sum(each => each.Latency.TotalMilliseconds), answer.Answers.Sum(each => each.InputTokens),
            answer.Answers.Sum(each => each.OutputTokens), found is not null, answer.Problem, answer.Answers.Count > 1,
            answer.Fallbacks, found?.Dropped ?? new Dictionary<string, int>(), found?.Entities.Count ?? 0,
            found?.Relationships.Count ?? 0, found?.Entities.Count(entity => entity.NeedsReview) ?? 0, now);
}

/// <summary>Every statement of this function on <c>ml.extraction_results</c>.</summary>
internal static class ExtractionResultQueries
{
    /// <returns>False when the job has a result; while another transaction writes one, this waits for its end.</returns>
    public static async Task<bool> InsertExtractionResultAsync(
        this NpgsqlConnection db, ExtractionResult result, CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.extraction_results (
                id, organization_id, project_id, job_id, chosen_tier, chosen_model_id, chosen_reason, answered_tier,
                answered_model_id, answered_version, base_model, endpoint, model_version, prompt_hash, latency_ms,
                input_tokens, output_tokens, is_valid, problem, is_repaired, fallbacks, dropped, entity_count,
                relationship_count, needs_review_count, created_at)
            values (
                @Id, @OrganizationId, @ProjectId, @JobId, @ChosenTier, @ChosenModelId, @ChosenReason, @AnsweredTier,
                @AnsweredModelId, @AnsweredVersion, @BaseModel, @Endpoint, @ModelVersion, @PromptHash, @LatencyMs,
                @InputTokens, @OutputTokens, @IsValid, @Problem, @IsRepaired, @fallbacksJson::jsonb, @droppedJson::jsonb,
                @EntityCount, @RelationshipCount, @NeedsReviewCount, @CreatedAt)
            on     conflict (job_id) do nothing
            """;

        var args = new DynamicParameters(result);
        args.Add("fallbacksJson", JsonSerializer.Serialize(result.Fallbacks, ExtractJson.Default.IReadOnlyListFallback));
        args.Add("droppedJson", JsonSerializer.Serialize(
            result.Dropped, ExtractJson.Default.IReadOnlyDictionaryStringInt32));
        return await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken)) == 1;
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ExtractionResult))]
[JsonSerializable(typeof(IReadOnlyList<Fallback>))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, int>))]
internal sealed partial class ExtractJson : JsonSerializerContext;
