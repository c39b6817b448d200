using FeedbackLoop.Extraction;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Selection;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.AdminApi.Selection;

/// <summary>The model to extract with, and where it answers.</summary>
/// <param name="Tier"><c>project</c>, <c>general</c> or <c>base</c>.</param>
/// <param name="ModelId">Null for the base model, as are version, endpoint and prompt hash.</param>
/// <param name="Endpoint">As the tuning job left it, with the job's region.</param>
/// <param name="PromptHash">Of the prompt that it was tuned with.</param>
/// <param name="Reason">For people.</param>
/// <param name="Model">What GenerateContent is called with, at the location that serves the model.</param>
/// <param name="Address">Of Vertex AI at that location.</param>
/// <param name="Thinking"><c>minimal</c>, <c>off</c>, or <c>unset</c> when nothing is to be said about it.</param>
/// <param name="Fallbacks">What to ask when it answers 403 or 404, in this order; the last is the base model.</param>
/// <param name="Prompt">Null when it was not asked for.</param>
internal sealed record SelectedModel(
    Guid ProjectId, string Tier, Guid? ModelId, int? Version, string BaseModel, string? Endpoint, string? PromptHash,
    string Reason, string Model, string Address, string Thinking, IReadOnlyList<FallbackModel> Fallbacks,
    SelectedPrompt? Prompt);

/// <summary>A further tier, with the members of <see cref="SelectedModel"/>.</summary>
internal sealed record FallbackModel(
    string Tier, Guid? ModelId, int? Version, string BaseModel, string? Endpoint, string? PromptHash, string Reason,
    string Model, string Address, string Thinking);

/// <summary>What extractions of the project, and its training data, tell a model.</summary>
/// <param name="System">The system instruction.</param>
/// <param name="BeforeText">
/// The user's turn is this, the chunk's text with its delimiters escaped, and <paramref name="AfterText"/>.
/// </param>
/// <param name="Hash">Lower-case hex SHA-256 of everything but the text.</param>
internal sealed record SelectedPrompt(string System, string BeforeText, string AfterText, string Hash)
{
    public static SelectedPrompt Of(ExtractionPrompt prompt) =>
        new(prompt.System, ExtractionPrompt.BeforeText, ExtractionPrompt.AfterText, prompt.Hash);
}

/// <summary>Choices as the API shows them.</summary>
internal sealed class SelectionPresenter(IOptions<GoogleCloudOptions> google, IOptions<BaseModelCatalogue> models)
{
    public SelectedModel Show(
        Guid projectId, ModelChoice choice, IEnumerable<ModelChoice> fallbacks, ExtractionPrompt? prompt)
    {
        var first = Show(choice);
        return new(
            projectId, first.Tier, first.ModelId, first.Version, first.BaseModel, first.Endpoint, first.PromptHash,
            first.Reason, first.Model, first.Address, first.Thinking, [.. fallbacks.Select(Show)],
            prompt is null ? null : SelectedPrompt.Of(prompt));
    }

    private FallbackModel Show(ModelChoice choice)
    {
        var name = VertexAddress.ModelName(
            google.Value.ProjectId, google.Value.Location, models.Value, choice.BaseModel, choice.Endpoint);
        var address = google.Value.VertexAddress ?? VertexAddress.Of(VertexAddress.LocationOf(name));
        var thinking = models.Value.Find(choice.BaseModel)?.Thinking switch
        {
            ThinkingSetting.Minimal => "minimal",
            ThinkingSetting.Off => "off",
            _ => "unset",
        };
        return new(
            choice.Tier, choice.ModelId?.Value, choice.Version, choice.BaseModel, choice.Endpoint, choice.PromptHash,
            choice.Reason, name, address.GetLeftPart(UriPartial.Authority), thinking);
    }
}
