using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using FeedbackLoop.Local.Hosting;
using Microsoft.AspNetCore.Http;

namespace FeedbackLoop.Local.VertexAi;

/// <summary>The one method of the IAM Credentials API that the product calls: <c>generateAccessToken</c>.</summary>
internal sealed partial class AccessTokenApi(AccessTokens tokens, VertexAiFaults faults)
{
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);
    private int _minted;

    public int Minted => _minted;

    public async Task HandleAsync(HttpContext http)
    {
        if (!HttpMethods.IsPost(http.Request.Method) || !PathPattern().IsMatch(http.Request.Path.Value ?? ""))
        {
            await RefuseAsync(http, 404, "NOT_FOUND", "Requested entity was not found.");
        }
        else if (faults.TakeIamAnswer() is { } status)
        {
            await RefuseAsync(http, status, status == 403 ? "PERMISSION_DENIED" : "UNAVAILABLE", "Scripted answer.");
        }
        else if (await ReadLifetimeAsync(http) is { } lifetime)
        {
            var (token, expires) = tokens.Mint(lifetime);
            Interlocked.Increment(ref _minted);
            await WriteAsync(http, json =>
            {
                json.WriteString("accessToken", token);
                json.WriteString("expireTime", GoogleTime.Format(expires));
            });
        }
        else
        {
            await RefuseAsync(
                http, 400, "INVALID_ARGUMENT", "The request needs a scope, and a lifetime of at most 3600s.");
        }
    }

    /// <returns>Null when the request cannot be granted.</returns>
    private static async Task<TimeSpan?> ReadLifetimeAsync(HttpContext http)
    {
        try
        {
            using var body = await JsonDocument.ParseAsync(http.Request.Body, default, http.RequestAborted);
            var root = body.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("scope", out var scope)
                || scope.ValueKind != JsonValueKind.Array || scope.GetArrayLength() == 0)
            {
                return null;
            }

            if (!root.TryGetProperty("lifetime", out var lifetime))
            {
                return Longest;
            }

            var match = LifetimePattern().Match(lifetime.ToString());
            var length = match.Success
                ? TimeSpan.FromSeconds(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))
                : TimeSpan.Zero;
            return length > TimeSpan.Zero && length <= Longest ? length : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static Task RefuseAsync(HttpContext http, int code, string status, string message)
    {
        http.Response.StatusCode = code;
        return WriteAsync(http, json =>
        {
            json.WriteStartObject("error");
            json.WriteNumber("code", code);
            json.WriteString("message", message);
            json.WriteString("status", status);
            json.WriteEndObject();
        });
    }

    private static async Task WriteAsync(HttpContext http, Action<Utf8JsonWriter> write)
    {
        http.Response.ContentType = "application/json; charset=UTF-8";
        await using var json = new Utf8JsonWriter(http.Response.BodyWriter);
        json.WriteStartObject();
        write(json);
        json.WriteEndObject();
        await json.FlushAsync(http.RequestAborted);
    }

    [GeneratedRegex("^/v1/projects/-/serviceAccounts/[^/@]+@[^/]+:generateAccessToken$")]
    private static partial Regex PathPattern();

    [GeneratedRegex("^([0-9]{1,6})s$")]
    private static partial Regex LifetimePattern();
}
