namespace FeedbackLoop.ModelSelection;

/// <summary>Where a <see cref="Selection"/> comes from.</summary>
public enum SelectionSource
{
    /// <summary>The API said so, at most thirty seconds ago.</summary>
    Api,

    /// <summary>The API said so earlier, and does not answer now.</summary>
    LastKnown,

    /// <summary>The API has never answered for this project: the base model that the caller gave.</summary>
    BaseModel,
}

/// <summary>The models to ask for a project.</summary>
/// <param name="Models">
/// At least one. The first is the one to use; each further one when all before it answer 403 or 404, or not at all.
/// </param>
/// <param name="Prompt">Null when the API has never answered: then the caller has to have one.</param>
/// <param name="Problem">Why this is not the API's present answer; null when it is.</param>
public sealed record Selection(
    Guid ProjectId, IReadOnlyList<ServedModel> Models, SelectedPrompt? Prompt, SelectionSource Source, string? Problem);
