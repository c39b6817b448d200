using System.Text.Json;
using System.Text.Json.Serialization;

namespace FeedbackLoop.ModelSelection;

/// <summary>The API's answer as it is on the wire; members that a newer API adds are ignored.</summary>
internal sealed record SelectionAnswer(
    [property: JsonRequired] Guid ProjectId, [property: JsonRequired] string Tier, Guid? ModelId, int? Version,
    [property: JsonRequired] string BaseModel, string? Endpoint, string? PromptHash, [property: JsonRequired] string Reason,
    [property: JsonRequired] string Model, [property: JsonRequired] string Address, [property: JsonRequired] string Thinking,
    [property: JsonRequired] IReadOnlyList<ServedModel> Fallbacks, SelectedPrompt? Prompt)
{
    public Selection ToSelection() => new(
        ProjectId,
        [
            new(Tier, ModelId, Version, BaseModel, Endpoint, PromptHash, Reason, Model, Address, Thinking),
            .. Fallbacks,
        ],
        Prompt, SelectionSource.Api, Problem: null);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(SelectionAnswer))]
internal sealed partial class SelectionJson : JsonSerializerContext;
