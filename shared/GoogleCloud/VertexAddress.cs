using FeedbackLoop.Tuning;

namespace FeedbackLoop.GoogleCloud;

/// <summary>Host names of Vertex AI.</summary>
public static class VertexAddress
{
    /// <summary>
    /// A region has a host of its own; the multi-regions <c>us</c> and <c>eu</c> answer on <c>rep</c> hosts only. Source:
    /// page "Locations", and "Invalid hostname" as the answer of <c>us-aiplatform.googleapis.com</c> (vercel/ai #15728).
    /// </summary>
    public static Uri Of(string location) => new(location switch
    {
        "us" or "eu" => $"https://aiplatform.{location}.rep.googleapis.com",
        "global" => "https://aiplatform.googleapis.com",
        _ => $"https://{location}-aiplatform.googleapis.com",
    });

    /// <summary>What GenerateContent is called with, at the location that serves the model.</summary>
    /// <param name="region">Of tuning jobs; where the base model is asked from.</param>
    /// <param name="endpoint">Of a model tuned from <paramref name="baseModel"/>; null for that one itself.</param>
    public static string ModelName(
        string projectId, string region, BaseModelCatalogue catalogue, string baseModel, string? endpoint)
    {
        // A job in us-central1 leaves an endpoint in us-central1; Gemini 3 answers for it in "us" only.
        var location = catalogue.ServingLocation(baseModel, endpoint is null ? region : LocationOf(endpoint));
        return endpoint is null
            ? $"projects/{projectId}/locations/{location}/publishers/google/models/{baseModel}"
            : At(endpoint, location);
    }

    /// <summary>The location in a resource name, <c>projects/P/locations/L/…</c>.</summary>
    public static string LocationOf(string name) =>
        name.Split('/') is ["projects", _, "locations", var location, ..]
            ? location
            : throw new ArgumentException($"{name} is not the name of a resource", nameof(name));

    /// <summary>The same resource, as it is called at another location.</summary>
    public static string At(string name, string location) =>
        name.Replace($"/locations/{LocationOf(name)}/", $"/locations/{location}/", StringComparison.Ordinal);
}
