namespace FeedbackLoop.Runs;

/// <summary>Which runs of a list are wanted; null leaves a condition out.</summary>
/// <param name="CreatedFrom">Runs that were created then or later.</param>
/// <param name="CreatedBefore">Runs that were created earlier.</param>
public sealed record RunFilter(
    string? State = null, string? Trigger = null, DateTimeOffset? CreatedFrom = null, DateTimeOffset? CreatedBefore = null)
{
    public static RunFilter None { get; } = new();
}
