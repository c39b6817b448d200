using Google.Cloud.Functions.Framework;
using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>The pipeline of a function's host.</summary>
public static class ApplicationBuilderExtensions
{
    /// <summary>
    /// The middleware of the startup classes, then 404 for what browsers and crawlers ask of every host, then the
    /// function for everything else.
    /// </summary>
    public static IApplicationBuilder UseFunctionsFramework(this IApplicationBuilder app, WebHostBuilderContext context)
    {
        foreach (var startup in app.ApplicationServices.GetServices<FunctionsStartup>())
        {
            startup.Configure(context, app);
        }

        app.Map("/robots.txt", AnswerNotFound);
        app.Map("/favicon.ico", AnswerNotFound);
        app.Run(request => request.RequestServices.GetRequiredService<IHttpFunction>().HandleAsync(request));
        return app;
    }

    private static void AnswerNotFound(IApplicationBuilder app) =>
        app.Run(context =>
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        });
}
