using CloudNative.CloudEvents;
using FeedbackLoop.Access;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Spending;
using FeedbackLoop.Tuning;
using Google.Cloud.Functions.Framework;
using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace FeedbackLoop.Train;

internal sealed class Startup : FunctionsStartup
{
    public override void ConfigureServices(WebHostBuilderContext context, IServiceCollection services)
    {
        services.AddTuning();
        services.AddSpending();
        services.AddVertexTuning();
        services.AddSingleton(Random.Shared);
        services.AddSingleton<JobListReader>();
        services.AddScoped<JobLookup>();
        services.AddScoped<TuningCall>();
        services.AddScoped<TrainStep>();
    }
}

/// <summary>Receives <see cref="DatasetExported"/> from the topic <c>dataset-exported</c>.</summary>
[FunctionsStartup(typeof(PushAccessStartup), Order = 0)]
[FunctionsStartup(typeof(PlatformStartup), Order = 1)]
[FunctionsStartup(typeof(Startup), Order = 2)]
internal sealed class Function(StepRunner runner, TrainStep step) : ICloudEventFunction<PubSubPush>
{
    public Task HandleAsync(CloudEvent cloudEvent, PubSubPush data, CancellationToken cancellationToken) =>
        runner.RunAsync(
            step, data, Topics.DatasetExported, MessageJson.Default.DatasetExported, cancellationToken);
}
