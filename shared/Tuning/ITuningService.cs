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

/// <param name="NextToken">Empty on the last page.</param>
public sealed record TuningJobPage(IReadOnlyList<TuningJob> Jobs, string NextToken);

/// <summary>Vertex AI does not take a page token, any more or at all.</summary>
public sealed class PageTokenRefusedException(string message, Exception? inner) : Exception(message, inner);

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

    /// <summary>One page of every job that was ever made under a parent, in an order that nobody documents.</summary>
    /// <param name="pageToken">Of the page before; empty for the first one.</param>
    /// <exception cref="PageTokenRefusedException">
    /// The token is too old, or was none: begin again at the first page.
    /// </exception>
    Task<TuningJobPage> ListPageAsync(string parent, string pageToken, CancellationToken cancellationToken);

    /// <summary>Asks a job to stop. It may end otherwise all the same.</summary>
    /// <returns>False when there is nothing to stop any more.</returns>
    Task<bool> CancelAsync(string name, CancellationToken cancellationToken);
}
