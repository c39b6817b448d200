namespace FeedbackLoop.Tuning;

/// <summary>Where people find a tuning job in Google's console.</summary>
public static class TuningConsole
{
    /// <summary>
    /// The page of a job. Google documents no form of this address; it is the one that the console itself shows, and a
    /// link for people only: nothing may depend on it.
    /// </summary>
    /// <param name="tuningJob"><c>projects/P/locations/L/tuningJobs/N</c>.</param>
    /// <returns>Null when the text is not the name of a tuning job.</returns>
    public static Uri? JobPage(string? tuningJob) =>
        tuningJob?.Split('/') is
            ["projects", { Length: > 0 } project, "locations", { Length: > 0 } location, "tuningJobs", { Length: > 0 } job]
            ? new Uri(
                $"https://console.cloud.google.com/vertex-ai/tuning/locations/{Uri.EscapeDataString(location)}"
                + $"/tuningJob/{Uri.EscapeDataString(job)}?project={Uri.EscapeDataString(project)}")
            : null;
}
