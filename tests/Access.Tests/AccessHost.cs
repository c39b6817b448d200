using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace FeedbackLoop.Access.Tests;

/// <summary>A program whose one route, <c>/me</c>, wants to know who is calling.</summary>
internal static class AccessHost
{
    public static async Task<WebApplication> StartAsync(
        IReadOnlyDictionary<string, string?> settings, string connectionString, TimeProvider clock, KeptLog log,
        CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(settings);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        log.AddTo(builder.Logging.ClearProviders());
        builder.Services.AddSingleton(clock);
        builder.Services.AddSingleton(NpgsqlDataSource.Create(connectionString));
        builder.Services.AddAccess();
        builder.Services.AddAuthorization();

        var app = builder.Build();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapGet("/me", async (ClaimsPrincipal caller, NpgsqlDataSource database, CancellationToken stop) =>
        {
            await using var db = await database.OpenConnectionAsync(stop);
            var person = await db.FindPersonAsync(caller.Subject(), stop);
            return person?.DisplayName ?? "nobody";
        }).RequireAuthorization();
        await app.StartAsync(cancellationToken);
        return app;
    }
}
