using FeedbackLoop.Extraction;
using FeedbackLoop.Platform;
using FeedbackLoop.Tuning;
using Google.Cloud.AIPlatform.V1;
using Grpc.Core;
using Microsoft.Extensions.Options;
using ThinkingConfig = Google.Cloud.AIPlatform.V1.GenerationConfig.Types.ThinkingConfig;

namespace FeedbackLoop.GoogleCloud;

/// <summary>Gemini on Vertex AI, through GenerateContent.</summary>
public sealed class VertexExtractionModel(
    IOptions<GoogleCloudOptions> options,
    IOptions<BaseModelCatalogue> catalogue,
    VertexChannels channels,
    TimeProvider time) : IExtractionModel
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);

    public async Task<ExtractionAnswer> GenerateAsync(
        string baseModel, string? endpoint, string systemText, string userText, CancellationToken cancellationToken)
    {
        var name = VertexAddress.ModelName(
            options.Value.ProjectId, options.Value.Location, catalogue.Value, baseModel, endpoint);
        var request = new GenerateContentRequest
        {
            Model = name,
            SystemInstruction = new Content { Role = "system", Parts = { new Part { Text = systemText } } },
            Contents = { new Content { Role = "user", Parts = { new Part { Text = userText } } } },
            GenerationConfig = Configure(baseModel, endpoint),
        };
        var headers = new Metadata { { "x-goog-request-params", $"model={Uri.EscapeDataString(name)}" } };
        var client = new PredictionService.PredictionServiceClient(
            channels.ForReading(VertexAddress.LocationOf(name)));
        var start = time.GetTimestamp();
        using var activity = PipelineTraces.StartGeneration(baseModel, endpoint);
        try
        {
            var response = await client.GenerateContentAsync(
                request, headers, time.GetUtcNow().UtcDateTime + Timeout, cancellationToken);
            var answer = Read(response, time.GetElapsedTime(start));
            activity.SetAnswer(answer.FinishReason, answer.InputTokens, answer.OutputTokens, answer.ModelVersion);
            return answer;
        }
        catch (RpcException e)
        {
            activity.SetFailure(e);
            if (e.StatusCode is not (StatusCode.NotFound or StatusCode.PermissionDenied))
            {
                throw;
            }

            throw new ExtractionModelGoneException($"{name}: {e.Status.Detail}", e);
        }
    }

    // A tuned model has learnt the form of its answers; Google advises against forcing one on it ("can result in decreased
    // model quality", page "Supervised fine-tuning", known issues, 2026-09-25).
    private GenerationConfig Configure(string baseModel, string? endpoint)
    {
        var configuration = new GenerationConfig { CandidateCount = 1 };
        if (endpoint is null)
        {
            configuration.ResponseMimeType = "application/json";
        }

        switch (catalogue.Value.Find(baseModel)?.Thinking)
        {
            case ThinkingSetting.Minimal:
                configuration.ThinkingConfig = new ThinkingConfig
                {
                    ThinkingLevel = ThinkingConfig.Types.ThinkingLevel.Minimal,
                };
                break;
            case ThinkingSetting.Off:
                configuration.ThinkingConfig = new ThinkingConfig { ThinkingBudget = 0 };
                break;
        }

        return configuration;
    }

    private static ExtractionAnswer Read(GenerateContentResponse response, TimeSpan latency)
    {
        var candidate = response.Candidates.FirstOrDefault();
        var blocked = response.PromptFeedback?.BlockReason.ToString() ?? "NoCandidate";
        var usage = response.UsageMetadata;
        return new ExtractionAnswer(
            string.Concat(candidate?.Content?.Parts.Where(part => !part.Thought).Select(part => part.Text) ?? []),
            candidate?.FinishReason.ToString() ?? blocked,
            usage?.PromptTokenCount ?? 0,
            (usage?.CandidatesTokenCount ?? 0) + (usage?.ThoughtsTokenCount ?? 0),
            latency,
            response.ModelVersion is "" ? null : response.ModelVersion);
    }
}
