using System.Net;

namespace FeedbackLoop.ModelSelection;

/// <summary>The API refuses this worker, or knows no such project. Asking again does not help; somebody has to act.</summary>
public sealed class SelectionRefusedException(HttpStatusCode status, Guid projectId) : Exception(status switch
{
    HttpStatusCode.Unauthorized =>
        "The API does not take the token (401): check its issuer, its audience and its time.",
    HttpStatusCode.Forbidden =>
        "The API does not know whom the token names (403): the worker's account needs a profile in the product.",
    _ => $"The API knows no project {projectId}, or the worker is no member of it (404).",
})
{
    /// <summary>401, 403 or 404.</summary>
    public HttpStatusCode Status { get; } = status;
}
