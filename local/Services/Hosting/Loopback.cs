using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FeedbackLoop.Local.Hosting;

/// <summary>A Kestrel server on 127.0.0.1 that reads no configuration: several of them live in one process.</summary>
internal static class Loopback
{
    /// <param name="port">0 takes a free port.</param>
    public static async Task<WebApplication> StartAsync(
        int port, HttpProtocols protocols, ILoggerFactory loggers, Action<IServiceCollection> addServices,
        Action<WebApplication> map, CancellationToken cancellationToken)
    {
        // The empty builder: the usual one would listen where ASPNETCORE_URLS says, for every server in the process.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Listen(IPAddress.Loopback, port, listener => listener.Protocols = protocols);
        });
        builder.Services.AddLogging();
        builder.Services.Replace(ServiceDescriptor.Singleton(loggers));

        // A client with an open connection must not hold up the end of a test.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        addServices(builder.Services);

        var app = builder.Build();
        map(app);
        await app.StartAsync(cancellationToken);
        return app;
    }

    /// <summary>Ends open requests after a second and frees the port.</summary>
    public static async Task StopAndDisposeAsync(this WebApplication app)
    {
        await app.StopAsync(CancellationToken.None);
        await app.DisposeAsync();
    }

    /// <summary>The address that the server really listens on.</summary>
    public static Uri Address(this WebApplication app) => new(app.Urls.Single());
}
