using System.Text;
using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FunctionsFramework.Tests;

/// <summary>One function on a port of its own in this process, by the public extension methods alone.</summary>
internal sealed class FunctionHost : IAsyncDisposable
{
    private readonly IHost _host;

    private FunctionHost(IHost host, Inbox inbox, RecordingLogs logs)
    {
        _host = host;
        Inbox = inbox;
        Logs = logs;
        var addresses = host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>();
        Client = new HttpClient { BaseAddress = new Uri(Assert.Single(addresses!.Addresses)) };
    }

    public HttpClient Client { get; }

    /// <summary>What the function was given.</summary>
    public Inbox Inbox { get; }

    public RecordingLogs Logs { get; }

    public static Task<FunctionHost> StartAsync<TFunction>(params string[] args) =>
        StartAsync<TFunction>(startup: null, args);

    public static async Task<FunctionHost> StartAsync<TFunction>(FunctionsStartup? startup, params string[] args)
    {
        var inbox = new Inbox();
        var logs = new RecordingLogs();
        string[] commandLine = ["--FunctionsFramework:Port=0", .. args];
        var host = Host.CreateDefaultBuilder()
            .ConfigureAppConfiguration(configuration => configuration
                .AddFunctionsEnvironment()
                .AddFunctionsCommandLine(commandLine))
            .ConfigureWebHostDefaults(web =>
            {
                web.ConfigureLogging(logging => logging.ClearProviders().AddProvider(logs))
                    .ConfigureKestrelForFunctionsFramework()
                    .ConfigureServices(services => services.AddSingleton(inbox).AddFunctionTarget<TFunction>())
                    .UseFunctionsStartups(typeof(TFunction).Assembly, typeof(TFunction))
                    .Configure((context, app) => app.UseFunctionsFramework(context));
                if (startup is not null)
                {
                    web.UseFunctionsStartup(startup);
                }
            })
            .Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        return new FunctionHost(host, inbox, logs);
    }

    public Task<HttpResponseMessage> GetAsync(string path) =>
        Client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);

    /// <param name="contentType">Sent as it stands; <see langword="null"/> sends none.</param>
    public async Task<HttpResponseMessage> PostAsync(
        string path, string body, string? contentType, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative));
        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        if (contentType is not null)
        {
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _host.StopAsync(TestContext.Current.CancellationToken);
        _host.Dispose();
    }
}
