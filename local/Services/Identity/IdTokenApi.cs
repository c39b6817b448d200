using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace FeedbackLoop.Local.Identity;

/// <summary>
/// The one method of the IAM Credentials API that gives a service account's identity token away: <c>generateIdToken</c>. By it a
/// person tries out what Pub/Sub does.
/// </summary>
internal sealed partial class IdTokenApi(Func<string, string, string> issue)
{
    /// <returns>The account that the path names; null when it is another path.</returns>
    public static string? AccountOf(string path) =>
        PathPattern().Match(path) is { Success: true } match ? match.Groups[1].Value : null;

    public async Task HandleAsync(HttpContext http, string account)
    {
        await (await ReadAudienceAsync(http) is { Length: > 0 } audience
            ? http.WriteJsonAsync(StatusCodes.Status200OK, new() { ["token"] = issue(account, audience) })
            : http.WriteJsonAsync(StatusCodes.Status400BadRequest, new()
            {
                ["error"] = new JsonObject
                {
                    ["code"] = 400,
                    ["message"] = "The request needs an audience.",
                    ["status"] = "INVALID_ARGUMENT",
                },
            }));
    }

    private static async Task<string?> ReadAudienceAsync(HttpContext http)
    {
        try
        {
            using var body = await JsonDocument.ParseAsync(http.Request.Body, default, http.RequestAborted);
            return body.RootElement.ValueKind == JsonValueKind.Object
                && body.RootElement.TryGetProperty("audience", out var audience)
                    ? audience.ToString()
                    : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    [GeneratedRegex("^/v1/projects/-/serviceAccounts/([^/@]+@[^/:]+):generateIdToken$")]
    private static partial Regex PathPattern();
}
