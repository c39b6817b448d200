using CloudNative.CloudEvents;
using FeedbackLoop.Access;
using FeedbackLoop.Datasets;
using FeedbackLoop.Examples;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Pii;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Tuning;
using Google.Cloud.Functions.Framework;
using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Export;

internal sealed class Startup : FunctionsStartup
{
    public override void ConfigureServices(WebHostBuilderContext context, IServiceCollection services)
    {
        services.AddOptions<ExportOptions>().BindConfiguration(ExportOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ExportOptions>, ExportOptionsValidator>();
        services.AddTuning();
        services.AddSingleton(new PiiScanner());
        services.AddSingleton<TokenCounter>();
        services.AddSingleton<DatasetExporter>();
        services.AddSingleton<ExportStep>();
    }
}

/// <summary>Receives <see cref="ExportRequested"/> from the topic <c>export-requested</c>.</summary>
[FunctionsStartup(typeof(PushAccessStartup), Order = 0)]
[FunctionsStartup(typeof(PlatformStartup), Order = 1)]
[FunctionsStartup(typeof(Startup), Order = 2)]
internal sealed class Function(StepRunner runner, ExportStep step) : ICloudEventFunction<PubSubPush>
{
    public Task HandleAsync(CloudEvent cloudEvent, PubSubPush data, CancellationToken cancellationToken) =>
        runner.RunAsync(
            step, data, Topics.ExportRequested, MessageJson.Default.ExportRequested, cancellationToken);
}
