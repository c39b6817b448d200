using Google.Cloud.AIPlatform.V1;

namespace FeedbackLoop.Tuning;

/// <summary>Where tuning jobs are made.</summary>
/// <param name="Parent"><c>projects/P/locations/L</c>.</param>
/// <param name="Environment">Value of the label <c>env</c>: this installation's name within the Google Cloud project.</param>
public sealed record TuningTarget(string Parent, string Environment)
{
    public string Region => Parent[(Parent.LastIndexOf('/') + 1)..];
}

/// <summary>A token that creates tuning jobs and cannot be renewed.</summary>
public sealed record CreationToken(string Value, DateTimeOffset ExpiresAt);

/// <summary>Vertex AI's tuning jobs.</summary>
public interface ITuningService
{
    TuningTarget Target { get; }

    /// <summary>
    /// A token of 300 seconds for the one account that may create tuning jobs: whoever is held up for longer is refused by
    /// Google itself.
    /// </summary>
    Task<CreationToken> MintTokenAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Sends one request, once, whatever happens; it takes at most 60 seconds. Never throws for what the service or the
    /// network does: that is the answer.
    /// </summary>
    Task<TuningAnswer> CreateAsync(CreateTuningJobRequest request, CreationToken token);

    /// <returns>Null when Vertex knows no job of that name.</returns>
    Task<TuningJob?> GetAsync(string name, CancellationToken cancellationToken);

    /// <summary>Every job under a parent, page by page.</summary>
    IAsyncEnumerable<TuningJob> ListAsync(string parent, CancellationToken cancellationToken);

    /// <summary>Asks a job to stop. It may end otherwise all the same.</summary>
    /// <returns>False when there is nothing to stop any more.</returns>
    Task<bool> CancelAsync(string name, CancellationToken cancellationToken);
}
