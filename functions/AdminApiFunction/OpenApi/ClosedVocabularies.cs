using System.Text.Json.Nodes;
using FeedbackLoop.AdminApi.Exports;
using FeedbackLoop.AdminApi.Models;
using FeedbackLoop.AdminApi.Runs;
using FeedbackLoop.Preflights;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Tuning;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace FeedbackLoop.AdminApi.OpenApi;

/// <summary>
/// Words of which there are only so many. A client that is made from the document learns of a new one when it is built, not
/// from an answer that it cannot show.
/// </summary>
internal static class ClosedVocabularies
{
    private static readonly string[] RunStates = [.. RunTransitions.All];
    private static readonly string[] ModelStatuses =
        [ModelStatus.Training, ModelStatus.Ready, ModelStatus.Failed, ModelStatus.Deprecated];
    private static readonly string[] Verdicts = [ModelVerdict.Better, ModelVerdict.NoEvidence, ModelVerdict.Worse];
    private static readonly string[] Triggers = [.. RunTrigger.All];

    private static readonly Dictionary<(Type Type, string Property), string[]> Words = new()
    {
        [(typeof(RunSummary), "state")] = RunStates,
        [(typeof(RunSummary), "trigger")] = Triggers,
        [(typeof(RunEvent), "state")] = RunStates,
        [(typeof(RunModel), "status")] = ModelStatuses,
        [(typeof(RunModel), "verdict")] = Verdicts,
        [(typeof(ExportDetails), "state")] = RunStates,
        [(typeof(ModelSummary), "status")] = ModelStatuses,
        [(typeof(ModelLiveStatus), "status")] = ModelStatuses,
        [(typeof(ModelLiveStatus), "runState")] = RunStates,
        [(typeof(ModelVerdictView), "verdict")] = Verdicts,
        [(typeof(PreflightRefusal), "kind")] = [.. PreflightObstacle.All],
        [(typeof(PreflightRun), "state")] = RunStates,
        [(typeof(GeneralTraining), "state")] = [.. GeneralTraining.States],
    };

    public static Task DescribeAsync(
        OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellationToken)
    {
        foreach (var (name, property) in schema.Properties ?? new Dictionary<string, IOpenApiSchema>())
        {
            if (property is OpenApiSchema open && Words.TryGetValue((context.JsonTypeInfo.Type, name), out var words))
            {
                open.Enum = [.. words.Select(word => JsonValue.Create(word))];
                if (open.Type?.HasFlag(JsonSchemaType.Null) is true)
                {
                    open.Enum.Add(JsonNullSentinel.JsonNull);
                }
            }
        }

        return Task.CompletedTask;
    }
}
