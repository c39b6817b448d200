namespace FeedbackLoop.Extraction;

/// <summary>What a model answered.</summary>
/// <param name="Text">All parts of the first candidate; may be empty or cut, see <paramref name="FinishReason"/>.</param>
/// <param name="FinishReason">Vertex's word, such as <c>Stop</c>, <c>MaxTokens</c> or <c>Safety</c>.</param>
/// <param name="OutputTokens">Answer and thoughts together: both are paid for.</param>
/// <param name="ModelVersion">As the service reports it; null when it does not.</param>
public sealed record ExtractionAnswer(
    string Text, string FinishReason, int InputTokens, int OutputTokens, TimeSpan Latency, string? ModelVersion);

/// <summary>Gemini, tuned or not.</summary>
public interface IExtractionModel
{
    /// <param name="baseModel">
    /// Id of the base model: the one asked, or the one that the endpoint's model was tuned from.
    /// </param>
    /// <param name="endpoint">
    /// Endpoint of a tuned model, as the registry has it; null asks the base model itself.
    /// </param>
    /// <exception cref="ExtractionModelGoneException">
    /// There is no such endpoint or model any more, or no access to it.
    /// </exception>
    Task<ExtractionAnswer> GenerateAsync(
        string baseModel, string? endpoint, string systemText, string userText, CancellationToken cancellationToken);
}

/// <summary>A model cannot be asked any more (NOT_FOUND, PERMISSION_DENIED): the next tier answers instead.</summary>
public sealed class ExtractionModelGoneException(string message, Exception inner) : Exception(message, inner);
