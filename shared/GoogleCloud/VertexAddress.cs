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

    /// <summary>The location in a resource name, <c>projects/P/locations/L/…</c>.</summary>
    public static string LocationOf(string name) =>
        name.Split('/') is ["projects", _, "locations", var location, ..]
            ? location
            : throw new ArgumentException($"{name} is not the name of a resource", nameof(name));

    /// <summary>The same resource, as it is called at another location.</summary>
    public static string At(string name, string location) =>
        name.Replace($"/locations/{LocationOf(name)}/", $"/locations/{location}/", StringComparison.Ordinal);
}
