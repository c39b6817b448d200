using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.AdminApi.Problems;

/// <summary>Headers of every answer, and the limit of every body.</summary>
internal sealed class SecurityHeaders(RequestDelegate next, IOptions<AdminApiOptions> options)
{
    public Task InvokeAsync(HttpContext context)
    {
        // At the last moment, because an error clears the headers that are set by then.
        context.Response.OnStarting(SetAsync, context.Response.Headers);

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = options.Value.MaxBodyBytes;
        }

        return next(context);
    }

    private static Task SetAsync(object state)
    {
        var headers = (IHeaderDictionary)state;
        headers.CacheControl = "no-store";
        headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
        headers.StrictTransportSecurity = "max-age=31536000; includeSubDomains";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        return Task.CompletedTask;
    }
}
