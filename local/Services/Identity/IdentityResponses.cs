using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace FeedbackLoop.Local.Identity;

/// <summary>Forms in, pages and JSON out, with the headers that a login needs.</summary>
internal static class IdentityResponses
{
    /// <summary>Headers of every answer: nothing is kept, nothing is guessed, nobody frames it.</summary>
    public static void AddHeaders(this HttpContext http)
    {
        var headers = http.Response.Headers;
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.ContentSecurityPolicy = Policy("'self'");

        // Browser code of any local port may ask; a page of the internet may not.
        headers.Vary = "Origin";
        if (Uri.TryCreate(http.Request.Headers.Origin, UriKind.Absolute, out var origin) && origin.IsLoopback)
        {
            headers.AccessControlAllowOrigin = http.Request.Headers.Origin;
            headers.AccessControlAllowMethods = "GET, POST";
            headers.AccessControlAllowHeaders = "Content-Type, Authorization";
        }
    }

    /// <summary>An empty form for a body that is none.</summary>
    public static async Task<IFormCollection> ReadFormAsync(this HttpContext http) =>
        http.Request.HasFormContentType
            ? await http.Request.ReadFormAsync(http.RequestAborted)
            : FormCollection.Empty;

    /// <param name="redirect">Where a form of the page leads in the end: browsers hold redirects to the policy too.</param>
    public static Task WritePageAsync(this HttpContext http, int status, string html, Uri? redirect)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/html; charset=utf-8";
        if (redirect is not null)
        {
            http.Response.Headers.ContentSecurityPolicy =
                Policy($"'self' {redirect.GetLeftPart(UriPartial.Authority)}");
        }

        return http.Response.WriteAsync(html, http.RequestAborted);
    }

    public static Task WriteJsonAsync(this HttpContext http, int status, JsonObject json)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        return http.Response.WriteAsync(json.ToJsonString(), http.RequestAborted);
    }

    private static string Policy(string formTargets) =>
        $"default-src 'none'; style-src 'self'; form-action {formTargets}; frame-ancestors 'none'; base-uri 'none'";
}
