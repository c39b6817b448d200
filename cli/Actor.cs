namespace FeedbackLoop.Cli;

/// <summary>Whom the audit log and <c>requested_by</c> name for what a command does.</summary>
internal static class Actor
{
    public static string Name => $"cli:{(Environment.UserName is { Length: > 0 } user ? user : "unknown")}";
}
