using System.Diagnostics;
using FeedbackLoop.Extraction;
using FeedbackLoop.Platform;
using FeedbackLoop.Registry;
using FeedbackLoop.Tuning;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.Selection;

/// <summary>A tier that did not answer.</summary>
public sealed record Fallback(string Tier, Guid? ModelId, string Reason);

/// <param name="Problem">Why the last answer cannot be read; null when it can.</param>
/// <param name="Answers">One, or two when the first could not be read. Both are paid for.</param>
public sealed record TieredAnswer(
    ModelChoice Answered, IReadOnlyList<Fallback> Fallbacks, IReadOnlyList<ExtractionAnswer> Answers,
    AnsweredContent? Content, string? Problem);

/// <summary>The chosen model, and the next tier when it does not answer: a tuned model is a gain, and no condition.</summary>
public sealed partial class TieredModel(
    IExtractionModel model, NpgsqlDataSource database, IOptions<BaseModelCatalogue> catalogue,
    ILogger<TieredModel> logger)
{
    /// <exception cref="RpcException">The base model does not answer either.</exception>
    /// <exception cref="ExtractionModelGoneException">The base model is not there.</exception>
    public async Task<TieredAnswer> AskAsync(
        Guid organizationId, ModelChoice choice, ExtractionPrompt prompt, string text,
        CancellationToken cancellationToken)
    {
        var fallbacks = new List<Fallback>();
        while (true)
        {
            try
            {
                return await AskAsync(choice, fallbacks, prompt, text, cancellationToken);
            }
            catch (Exception e) when (
                e is ExtractionModelGoneException or RpcException
                && choice.Tier != ModelTier.Base
                && !cancellationToken.IsCancellationRequested)
            {
                PipelineMetrics.FellBack(choice.Tier);
                LogFallback(e, choice.Tier, choice.ModelId?.Value, choice.Endpoint);
                fallbacks.Add(new(choice.Tier, choice.ModelId?.Value, e.Message));
                choice = await NextAsync(organizationId, choice, cancellationToken);
            }
        }
    }

    private async Task<TieredAnswer> AskAsync(
        ModelChoice choice, IReadOnlyList<Fallback> fallbacks, ExtractionPrompt prompt, string text,
        CancellationToken cancellationToken)
    {
        var user = ExtractionPrompt.User(text);
        var first = await GenerateAsync(choice, prompt.System, user, cancellationToken);
        if (AnswerParser.TryRead(first, out var content, out var problem))
        {
            return new(choice, fallbacks, [first], content, Problem: null);
        }

        var second = await GenerateAsync(
            choice, prompt.System, ExtractionPrompt.Repair(text, problem), cancellationToken);
        AnswerParser.TryRead(second, out content, out problem);
        return new(choice, fallbacks, [first, second], content, problem);
    }

    private async Task<ExtractionAnswer> GenerateAsync(
        ModelChoice choice, string system, string user, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            var answer = await model.GenerateAsync(choice.BaseModel, choice.Endpoint, system, user, cancellationToken);
            PipelineMetrics.ModelAnswered(
                choice.Tier, choice.BaseModel, answer.Latency, answer.InputTokens, answer.OutputTokens);
            return answer;
        }
        catch (Exception e) when (e is ExtractionModelGoneException or RpcException)
        {
            PipelineMetrics.ModelFailed(choice.Tier, choice.BaseModel, Stopwatch.GetElapsedTime(started), e);
            throw;
        }
    }

    private async Task<ModelChoice> NextAsync(
        Guid organizationId, ModelChoice failed, CancellationToken cancellationToken)
    {
        ReadyModel? general = null;
        if (failed.Tier == ModelTier.Project)
        {
            await using var db = await database.OpenConnectionAsync(cancellationToken);
            var ready = await db.ListReadyModelsAsync(organizationId, cancellationToken);
            general = ready.FirstOrDefault(each => each.ProjectId is null);
        }

        return ModelSelection.Next(failed.Tier, general, catalogue.Value.GetDefault());
    }

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "The {Tier} model {ModelId} does not answer at {Endpoint}; the next tier is asked")]
    private partial void LogFallback(Exception exception, string tier, Guid? modelId, string? endpoint);
}
