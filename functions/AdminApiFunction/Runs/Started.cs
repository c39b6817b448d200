using FeedbackLoop.Tuning;

namespace FeedbackLoop.AdminApi.Runs;

/// <summary>
/// Work that was accepted. A repeat with the same Idempotency-Key gets the same answer; the general model is told of as it
/// stands then.
/// </summary>
/// <param name="Purpose"><c>training</c> or <c>export</c>.</param>
/// <param name="Href">Where its progress is shown, relative to the API's root; also in the header <c>Location</c>.</param>
/// <param name="GeneralTraining">
/// Of a project whose general model is being trained: this training does not wait for it. Null otherwise.
/// </param>
internal sealed record Started(
    Guid Id, string Purpose, DateTimeOffset CreatedAt, string Href, GeneralTraining? GeneralTraining = null);
