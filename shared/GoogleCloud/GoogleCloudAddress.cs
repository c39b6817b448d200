namespace FeedbackLoop.GoogleCloud;

/// <summary>Reads what the variables of Google's emulators hold.</summary>
public static class GoogleCloudAddress
{
    /// <summary><c>host:port</c> as Google's tools write it, or a whole address; null when there is none.</summary>
    public static Uri? Parse(string? emulatorHost) => emulatorHost switch
    {
        null or "" => null,
        _ when emulatorHost.Contains("://", StringComparison.Ordinal) => new Uri(emulatorHost),
        _ => new Uri($"http://{emulatorHost}"),
    };
}
