using System.Reflection;
using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FeedbackLoop.Local;

/// <summary>A function as it is deployed, on a loopback port of this process.</summary>
public sealed class FunctionHost : IAsyncDisposable
{
    private readonly IHost _host;

    private FunctionHost(string name, IHost host)
    {
        (Name, _host) = (name, host);
        var addresses = host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
        Address = new Uri(addresses.Addresses.Single());
    }

    /// <summary>Name of the function's assembly, such as <c>ExportFunction</c>.</summary>
    public string Name { get; }

    public Uri Address { get; }

    /// <summary>What the function has registered.</summary>
    public IServiceProvider Services => _host.Services;

    /// <param name="settings">Configuration, such as <c>Database:ConnectionString</c>, above the function's own file.</param>
    /// <param name="port">0 takes a free one.</param>
    /// <param name="extra">Registered after the function's own startups; null for none.</param>
    public static async Task<FunctionHost> StartAsync(
        string name, IReadOnlyDictionary<string, string?> settings, FunctionsStartup? extra,
        Action<ILoggingBuilder> logging, CancellationToken cancellationToken, int port = 0)
    {
        var assembly = Assembly.Load(name);
        var function = assembly.GetTypes().Single(t => t.Name == "Function");

        // No watching of the settings' file: each watcher takes one of the 128 that Linux usually lends to a user.
        var host = Host.CreateDefaultBuilder(["--hostBuilder:reloadConfigOnChange=false"])
            .UseContentRoot(AppContext.BaseDirectory)
            .ConfigureWebHostDefaults(web =>
            {
                web.ConfigureAppConfiguration(configuration => configuration
                        .AddFunctionsEnvironment()
                        .AddInMemoryCollection(settings)
                        .AddFunctionsCommandLine([$"--FunctionsFramework:Port={port}"]))
                    .ConfigureLogging(builder => logging(builder.ClearProviders()))
                    .ConfigureKestrelForFunctionsFramework()
                    .ConfigureServices(services => services.AddFunctionTarget(function))
                    .UseFunctionsStartups(assembly, function);
                if (extra is not null)
                {
                    web.UseFunctionsStartup(extra);
                }

                web.Configure((context, app) => app.UseFunctionsFramework(context));
            })
            .ConfigureServices(services => services.AddSingleton<IHostLifetime, OwnersLifetime>())
            .Build();
        await host.StartAsync(cancellationToken);
        return new(name, host);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
    }

    /// <summary>The process stops its functions when it is done with them; a signal is its own affair.</summary>
    private sealed class OwnersLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
