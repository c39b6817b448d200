using System.Text.RegularExpressions;
using FeedbackLoop.Local.Hosting;
using FeedbackLoop.Local.VertexAi.Learning;
using Google.Cloud.AIPlatform.V1;
using Grpc.Core;

namespace FeedbackLoop.Local.VertexAi;

/// <summary>The method GenerateContent of <c>PredictionService</c>; the others answer UNIMPLEMENTED.</summary>
internal sealed partial class PredictionApi(
    ModelRegistry models, VertexGate gate, VertexAiFaults faults, VertexAiOptions options)
    : PredictionService.PredictionServiceBase
{
    public override Task<GenerateContentResponse> GenerateContent(
        GenerateContentRequest request, ServerCallContext context) =>
        gate.PassAsync(
            VertexMethod.GenerateContent, context, () =>
            {
                var response = Answer(request);
                gate.Remember(new ModelAnswer(request, response));
                return Task.FromResult(response);
            });

    private GenerateContentResponse Answer(GenerateContentRequest request)
    {
        var tuned = ModelOf(request.Model, out var version);
        if (request.Contents.Count == 0)
        {
            throw RpcErrors.InvalidArgument("contents", "At least one content is required.");
        }

        var system = Text(request.SystemInstruction);
        var user = Text(request.Contents.LastOrDefault(content => content.Role != "model"));
        var (text, finish) = faults.TakeText()
            ?? (Generate(tuned, system, user), Candidate.Types.FinishReason.Stop);
        if (request.GenerationConfig?.MaxOutputTokens is > 0 and var most && TuningLine.Tokens(text.Length) > most)
        {
            (text, finish) = (text[..Math.Min(text.Length, 4 * most)], Candidate.Types.FinishReason.MaxTokens);
        }

        var prompt = TuningLine.Tokens(system.Length + request.Contents.Sum(content => Text(content).Length));
        var answer = TuningLine.Tokens(text.Length);
        return new GenerateContentResponse
        {
            ModelVersion = version,
            Candidates =
            {
                new Candidate
                {
                    Content = new Content { Role = "model", Parts = { new Part { Text = text } } },
                    FinishReason = finish,
                },
            },
            UsageMetadata = new GenerateContentResponse.Types.UsageMetadata
            {
                PromptTokenCount = prompt,
                CandidatesTokenCount = answer,
                TotalTokenCount = prompt + answer,
            },
        };
    }

    /// <returns>Null for a base model.</returns>
    private TunedVersion? ModelOf(string name, out string version)
    {
        if (BaseModelPattern().Match(name) is { Success: true } match)
        {
            version = match.Groups[1].Value;
            return options.BaseModels.Contains(version)
                ? null
                : throw VertexErrors.NotFound(
                    $"Publisher Model `{name}` was not found or your project does not have access to it.", name);
        }

        if (ResourceNames.Child(name, "endpoints") is null)
        {
            throw RpcErrors.InvalidArgument("model", $"The Model name {name} is malformed.");
        }

        var tuned = models.FindEndpoint(name) ?? throw VertexErrors.NotFound($"Endpoint `{name}` not found.", name);
        version = tuned.Resource.Model;
        return tuned;
    }

    private string Generate(TunedVersion? tuned, string system, string user)
    {
        var document = Prompt.Document(user);
        var types = Prompt.Types(system, user);
        return ExtractionText.Write(tuned is null
            ? BaseExtractor.Extract(document, types)
            : models.Extractor(tuned).Extract(document, types));
    }

    private static string Text(Content? content) =>
        content is null ? "" : string.Join('\n', content.Parts.Select(part => part.Text));

    [GeneratedRegex("^(?:projects/[^/]+/locations/[^/]+/)?publishers/google/models/([^/]+)$")]
    private static partial Regex BaseModelPattern();
}
