using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.AdminApi.Problems;

/// <summary>What a page of the UI says in place of the API's own headers.</summary>
internal sealed record PageHeaders(string CacheControl, string ContentSecurityPolicy);

/// <summary>Headers of every answer, and the limit of every body.</summary>
internal sealed class SecurityHeaders(RequestDelegate next, IOptions<AdminApiOptions> options)
{
    private static readonly PageHeaders OfApi = new(
        "no-store", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'");

    public Task InvokeAsync(HttpContext context)
    {
        // At the last moment, because an error clears the headers that are set by then.
        context.Response.OnStarting(SetAsync, context);

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = options.Value.MaxBodyBytes;
        }

        return next(context);
    }

    private static Task SetAsync(object state)
    {
        var context = (HttpContext)state;
        var headers = context.Response.Headers;
        var page = context.Features.Get<PageHeaders>() ?? OfApi;
        headers.CacheControl = page.CacheControl;
        headers.ContentSecurityPolicy = page.ContentSecurityPolicy;
        headers.StrictTransportSecurity = "max-age=31536000; includeSubDomains";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        return Task.CompletedTask;
    }
}
