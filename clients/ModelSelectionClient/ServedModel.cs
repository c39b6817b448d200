using System.Text.Json.Serialization;
using FeedbackLoop.Extraction;

namespace FeedbackLoop.ModelSelection;

/// <summary>A model that can be asked, and where.</summary>
/// <param name="Tier"><c>project</c>, <c>general</c> or <c>base</c>.</param>
/// <param name="ModelId">Null for the base model, as are version, endpoint and prompt hash.</param>
/// <param name="Version">Within the project, or within the organization.</param>
/// <param name="BaseModel">Vertex's id, such as <c>gemini-3.1-flash-lite</c>.</param>
/// <param name="Endpoint">As the tuning job left it, with the job's region; to be kept with the result.</param>
/// <param name="PromptHash">Of the prompt that it was tuned with.</param>
/// <param name="Reason">For people: why this one.</param>
/// <param name="Model">Resource name to call, at the location that serves the model.</param>
/// <param name="Address">Of Vertex AI at that location, such as <c>https://aiplatform.us.rep.googleapis.com</c>.</param>
/// <param name="Thinking">
/// <c>minimal</c>: thinking level MINIMAL; <c>off</c>: thinking budget 0; <c>unset</c>: say nothing.
/// </param>
public sealed record ServedModel(
    string Tier, Guid? ModelId, int? Version, string BaseModel, string? Endpoint, string? PromptHash, string Reason,
    string Model, string Address, string Thinking)
{
    /// <summary>Where a POST of a GenerateContent request goes.</summary>
    [JsonIgnore]
    public Uri GenerateContentUrl => new($"{Address.TrimEnd('/')}/v1/{Model}:generateContent");
}

/// <summary>What to tell the model: the same as our own worker and the training data do.</summary>
/// <param name="System">The system instruction, with the types of the project.</param>
/// <param name="Hash">Lower-case hex SHA-256 of everything but the text; to be kept with the result.</param>
public sealed record SelectedPrompt(string System, string BeforeText, string AfterText, string Hash)
{
    /// <summary>The user's turn for a text, in which nothing can be taken for the end of the document.</summary>
    public string User(string text) => string.Concat(BeforeText, DocumentText.Escape(text), AfterText);
}
