using CloudNative.CloudEvents;
using FeedbackLoop.Access;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Selection;
using FeedbackLoop.Spending;
using FeedbackLoop.Tuning;
using Google.Cloud.Functions.Framework;
using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace FeedbackLoop.Extract;

internal sealed class Startup : FunctionsStartup
{
    public override void ConfigureServices(WebHostBuilderContext context, IServiceCollection services)
    {
        services.AddTuning();
        services.AddSpending();
        services.AddVertexExtraction();
        services.AddMemoryCache(options => options.SizeLimit = 1_000);
        services.AddSingleton<ProjectTypes>();
        services.AddSingleton<ModelSelector>();
        services.AddSingleton<TieredModel>();
        services.AddSingleton<ExtractStep>();
    }
}

/// <summary>Receives <see cref="ExtractionRequested"/> from the topic <c>extraction-requested</c>.</summary>
[FunctionsStartup(typeof(PushAccessStartup), Order = 0)]
[FunctionsStartup(typeof(PlatformStartup), Order = 1)]
[FunctionsStartup(typeof(Startup), Order = 2)]
internal sealed class Function(StepRunner runner, ExtractStep step) : ICloudEventFunction<PubSubPush>
{
    public Task HandleAsync(CloudEvent cloudEvent, PubSubPush data, CancellationToken cancellationToken) =>
        runner.RunAsync(
            step, data, Topics.ExtractionRequested, MessageJson.Default.ExtractionRequested, cancellationToken);
}
