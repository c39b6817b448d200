using System.Net;
using System.Text;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>Both deployables as they are deployed, over HTTP, with the configuration file that they share.</summary>
public sealed class FunctionTests(PostgresFixture postgres) : IAsyncLifetime
{
    private World _world = null!; // these two are set before each test
    private PushIssuer _issuer = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await World.StartAsync(postgres);
        _issuer = await PushIssuer.StartAsync(World.Stop);
    }

    public async ValueTask DisposeAsync()
    {
        await _issuer.DisposeAsync();
        await _world.DisposeAsync();
    }

    [Theory]
    [InlineData("/", "tuning-started", null)]
    [InlineData("/projects/demo/topics/tuning-started", null, null)]
    [InlineData("/", null, "tuning-started")]
    public async Task Whatever_names_the_topic_a_hint_reaches_the_poll_step(string path, string? attribute, string? source)
    {
        using var host = await StartAsync<PollTuning.Function>();
        var unknown = RunId.New(TimeProvider.System.GetUtcNow());

        Assert.Equal(HttpStatusCode.OK, await PushAsync(host, path, attribute, source, $$"""{"runId":"{{unknown}}"}"""));

        Assert.Equal("tuning-started", await _world.Rows.ScalarAsync<string>(
            "select topic from ml.rejected_messages", World.Stop));
    }

    [Theory]
    [InlineData("/", "poll-tick", null)]
    [InlineData("/projects/demo/topics/poll-tick", null, null)]
    [InlineData("/", null, "poll-tick")]
    public async Task Whatever_names_the_topic_a_tick_starts_the_sweep(string path, string? attribute, string? source)
    {
        using var host = await StartAsync<PollTuning.Function>();
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        await _world.CancelAsync(run);
        await _world.Outbox.SendPendingAsync(10, World.Stop);

        Assert.Equal(HttpStatusCode.OK, await PushAsync(host, path, attribute, source, "{}"));

        Assert.Equal(RunState.Cancelled, (await _world.FindAsync(run)).State);
    }

    [Fact]
    public async Task An_exported_dataset_reaches_the_train_step()
    {
        using var host = await StartAsync<Train.Function>();
        var run = await _world.AddExportedRunAsync(
            await _world.AddScopeAsync(), new TuningParameters { BaseModel = "gemini-2.5-pro" });

        var status = await PushAsync(
            host, "/projects/demo/topics/dataset-exported", "dataset-exported", null, $$"""{"runId":"{{run}}"}""");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(
            "gemini-2.5-pro was retired on 2026-10-20; use gemini-3.5-flash", (await _world.FindAsync(run)).Reason);
    }

    private async Task<IHost> StartAsync<TFunction>()
    {
        var cloud = _world.Cloud.Value;
        string[] settings =
        [
            "--FunctionsFramework:Port=0", $"--Database:ConnectionString={_world.Rows.ConnectionString}",
            $"--GoogleCloud:ProjectId={cloud.ProjectId}", $"--GoogleCloud:Location={cloud.Location}",
            $"--GoogleCloud:Bucket={cloud.Bucket}", $"--GoogleCloud:Environment={cloud.Environment}",
            $"--GoogleCloud:TuningServiceAccount={cloud.TuningServiceAccount}",
            $"--GoogleCloud:VertexAddress={cloud.VertexAddress}",
            $"--GoogleCloud:IamCredentialsAddress={cloud.IamCredentialsAddress}",
            "--GoogleCloud:PubSubAddress=http://127.0.0.1:1", "--GoogleCloud:StorageAddress=http://127.0.0.1:1",
            .. _issuer.Settings.Select(setting => $"--{setting.Key}={setting.Value}"),
        ];
        var host = Host.CreateDefaultBuilder()
            .UseContentRoot(AppContext.BaseDirectory)
            .ConfigureAppConfiguration(configuration => configuration.AddFunctionsEnvironment().AddFunctionsCommandLine(settings))
            .ConfigureWebHostDefaults(web => web
                .ConfigureLogging(logging => logging.ClearProviders())
                .ConfigureKestrelForFunctionsFramework()
                .ConfigureServices(services => services.AddFunctionTarget<TFunction>())
                .UseFunctionsStartups(typeof(TFunction).Assembly, typeof(TFunction))
                .Configure((context, app) => app.UseFunctionsFramework(context)))
            .Build();
        await host.StartAsync(World.Stop);
        return host;
    }

    /// <param name="source">With one the push is a binary CloudEvent from that topic, without one as Pub/Sub sends it.</param>
    private async Task<HttpStatusCode> PushAsync(
        IHost host, string path, string? attribute, string? source, string message)
    {
        var attributes = attribute is null ? "{}" : $$"""{"message":"{{attribute}}"}""";
        var data = Convert.ToBase64String(Encoding.UTF8.GetBytes(message));
        var body = $$"""
            {"message":{"messageId":"7","attributes":{{attributes}},"data":"{{data}}"},"subscription":"s"}
            """;
        var address = host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(new Uri(address), path));
        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        if (source is not null)
        {
            request.Headers.Add("ce-specversion", "1.0");
            request.Headers.Add("ce-id", "7");
            request.Headers.Add("ce-type", "google.cloud.pubsub.topic.v1.messagePublished");
            request.Headers.Add("ce-source", $"//pubsub.googleapis.com/projects/demo/topics/{source}");
        }

        request.Headers.Authorization = _issuer.Authorization;
        using var client = new HttpClient();
        using var response = await client.SendAsync(request, World.Stop);
        return response.StatusCode;
    }
}
