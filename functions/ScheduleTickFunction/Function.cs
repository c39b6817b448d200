using CloudNative.CloudEvents;
using FeedbackLoop.Access;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Scheduling;
using FeedbackLoop.Spending;
using FeedbackLoop.Tuning;
using Google.Cloud.Functions.Framework;
using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace FeedbackLoop.ScheduleTicks;

internal sealed class Startup : FunctionsStartup
{
    public override void ConfigureServices(WebHostBuilderContext context, IServiceCollection services)
    {
        services.AddTuning();
        services.AddSpending();
        services.AddScheduling();
        services.AddSingleton<ScheduleTickStep>();
        services.AddSingleton<RenewalStep>();
    }
}

/// <summary>
/// Receives <see cref="ScheduleTick"/> from the topic <c>schedule-tick</c> every hour, and
/// <see cref="TrainingFinished"/> from <c>training-finished</c>.
/// </summary>
[FunctionsStartup(typeof(PushAccessStartup), Order = 0)]
[FunctionsStartup(typeof(PlatformStartup), Order = 1)]
[FunctionsStartup(typeof(Startup), Order = 2)]
internal sealed class Function(StepRunner runner, ScheduleTickStep tick, RenewalStep renewal)
    : ICloudEventFunction<PubSubPush>
{
    public Task HandleAsync(CloudEvent cloudEvent, PubSubPush data, CancellationToken cancellationToken) =>
        TopicOf(cloudEvent, data) == Topics.ScheduleTick
            ? runner.RunAsync(tick, data, Topics.ScheduleTick, MessageJson.Default.ScheduleTick, cancellationToken)
            : runner.RunAsync(
                renewal, data, Topics.TrainingFinished, MessageJson.Default.TrainingFinished, cancellationToken);

    // The message says it itself; the event knows it only when the push address names the topic.
    private static string? TopicOf(CloudEvent cloudEvent, PubSubPush? data) =>
        data?.Message?.Attributes?.GetValueOrDefault(Topics.Attribute)
        ?? (cloudEvent["topic"] as string)
        ?? cloudEvent.Source?.ToString().Split('/')[^1];
}
