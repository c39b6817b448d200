using System.Net;
using System.Text;
using FeedbackLoop.Runs;
using FeedbackLoop.ScheduleTicks;
using FeedbackLoop.Testing;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FeedbackLoop.Scheduling.Tests;

/// <summary>The deployable as it is deployed, over HTTP.</summary>
public sealed class FunctionTests(PostgresFixture postgres) : IAsyncLifetime
{
    private World _world = null!; // these two are set before each test
    private PushIssuer _issuer = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _world = await World.StartAsync(postgres);
        _issuer = await PushIssuer.StartAsync(Stop);
    }

    public async ValueTask DisposeAsync()
    {
        await _issuer.DisposeAsync();
        await _world.DisposeAsync();
    }

    [Theory]
    [InlineData("/", "schedule-tick")]
    [InlineData("/projects/demo/topics/schedule-tick", null)]
    public async Task A_tick_starts_what_is_due(string path, string? attribute)
    {
        var scope = await _world.AddScopeAsync();
        await _world.SaveAsync(scope, new() { Enabled = true, RetrainOnGeneralUpdate = true });
        await _world.AddModelAsync(new Scope(scope.OrganizationId, null));
        using var host = await StartAsync();

        // Pub/Sub cannot be reached here: the run stands, and its message waits for the sweep.
        Assert.Equal(HttpStatusCode.InternalServerError, await PushAsync(host, path, attribute, "{}"));

        Assert.Equal(RunTrigger.GeneralUpdate, Assert.Single(await _world.ListRunsAsync()).Trigger);
        Assert.Equal(1, await _world.Rows.ScalarAsync<long>("select count(*) from ml.outbox where status = 'pending'", Stop));
        Assert.Equal(HttpStatusCode.OK, await PushAsync(host, path, attribute, "{}"));
        Assert.Single(await _world.ListRunsAsync());
    }

    [Theory]
    [InlineData("/", "training-finished")]
    [InlineData("/projects/demo/topics/training-finished", null)]
    public async Task A_finished_training_reaches_its_step(string path, string? attribute)
    {
        using var host = await StartAsync();
        var unknown = RunId.New(World.Start);

        Assert.Equal(HttpStatusCode.OK, await PushAsync(host, path, attribute, $$"""{"runId":"{{unknown}}"}"""));

        Assert.Equal(
            $"training-finished: run {unknown} does not exist",
            await _world.Rows.ScalarAsync<string>("select topic || ': ' || reason from ml.rejected_messages", Stop));
    }

    [Fact]
    public async Task A_push_without_a_token_starts_nothing()
    {
        using var host = await StartAsync();

        Assert.Equal(HttpStatusCode.Unauthorized, await PushAsync(host, "/", "schedule-tick", "{}", isSigned: false));
    }

    [Fact]
    public async Task Settings_outside_their_range_stop_the_start() =>
        await Assert.ThrowsAnyAsync<Exception>(() => StartAsync("--Schedules:BatchSize=0"));

    private async Task<IHost> StartAsync(params string[] more)
    {
        string[] settings =
        [
            "--FunctionsFramework:Port=0", $"--Database:ConnectionString={_world.Rows.ConnectionString}",
            "--GoogleCloud:ProjectId=demo", "--GoogleCloud:Location=us-central1", "--GoogleCloud:Bucket=datasets",
            "--GoogleCloud:Environment=test", "--GoogleCloud:TuningServiceAccount=tuner@demo.iam.gserviceaccount.com",
            "--GoogleCloud:PubSubAddress=http://127.0.0.1:1", "--GoogleCloud:StorageAddress=http://127.0.0.1:1",
            .. _issuer.Settings.Select(setting => $"--{setting.Key}={setting.Value}"), .. more,
        ];
        var host = Host.CreateDefaultBuilder()
            .UseContentRoot(AppContext.BaseDirectory)
            .ConfigureAppConfiguration(configuration => configuration.AddFunctionsEnvironment().AddFunctionsCommandLine(settings))
            .ConfigureWebHostDefaults(web => web
                .ConfigureLogging(logging => logging.ClearProviders())
                .ConfigureKestrelForFunctionsFramework()
                .ConfigureServices(services => services.AddFunctionTarget<Function>())
                .UseFunctionsStartups(typeof(Function).Assembly, typeof(Function))
                .Configure((context, app) => app.UseFunctionsFramework(context)))
            .Build();
        await host.StartAsync(Stop);
        return host;
    }

    private async Task<HttpStatusCode> PushAsync(
        IHost host, string path, string? attribute, string message, bool isSigned = true)
    {
        var attributes = attribute is null ? "{}" : $$"""{"message":"{{attribute}}"}""";
        var data = Convert.ToBase64String(Encoding.UTF8.GetBytes(message));
        var address = host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(new Uri(address), path));
        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(
            $$"""
            {"message":{"messageId":"7","attributes":{{attributes}},"data":"{{data}}"},"subscription":"s"}
            """));
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        request.Headers.Authorization = isSigned ? _issuer.Authorization : null;
        using var client = new HttpClient();
        using var response = await client.SendAsync(request, Stop);
        return response.StatusCode;
    }
}
