using CloudNative.CloudEvents;
using FeedbackLoop.Access;
using FeedbackLoop.Evaluation;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Lineage.Forgetting;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Spending;
using FeedbackLoop.Statistics;
using FeedbackLoop.Tuning;
using Google.Cloud.Functions.Framework;
using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.PollTuning;

internal sealed class Startup : FunctionsStartup
{
    public override void ConfigureServices(WebHostBuilderContext context, IServiceCollection services)
    {
        services.AddTuning();
        services.AddSpending();
        services.AddVertexTuning();
        services.AddVertexExtraction();
        services.AddOptions<EvaluationOptions>().BindConfiguration(EvaluationOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<EvaluationOptions>, EvaluationOptionsValidator>();
        services.AddOptions<SweepOptions>().BindConfiguration(SweepOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<SweepOptions>, SweepOptionsValidator>();
        services.AddSingleton<JobListReader>();
        services.AddSingleton<TuningReconciler>();
        services.AddSingleton<DuplicateSearch>();
        services.AddSingleton<HeldOutEvaluation>();
        services.AddSingleton<ModelRegistration>();
        services.AddSingleton<JobSweep>();
        services.AddSingleton<RunSweep>();
        services.AddSingleton<LeftoverSweep>();
        services.AddSingleton<ExtractionSweep>();
        services.AddSingleton<StatisticsFold>();
        services.AddSingleton<StatisticsSweep>();
        services.AddSingleton<DocumentForgetting>();
        services.AddSingleton<DocumentSweep>();
        services.AddSingleton<PollTuningStep>();
        services.AddSingleton<SweepStep>();
    }
}

/// <summary>
/// Receives <see cref="TuningStarted"/> from the topic <c>tuning-started</c>, and every five minutes <see cref="PollTick"/>
/// from <c>poll-tick</c>.
/// </summary>
[FunctionsStartup(typeof(PushAccessStartup), Order = 0)]
[FunctionsStartup(typeof(PlatformStartup), Order = 1)]
[FunctionsStartup(typeof(Startup), Order = 2)]
internal sealed class Function(StepRunner runner, PollTuningStep poll, SweepStep sweep)
    : ICloudEventFunction<PubSubPush>
{
    public Task HandleAsync(CloudEvent cloudEvent, PubSubPush data, CancellationToken cancellationToken) =>
        TopicOf(cloudEvent, data) == Topics.PollTick
            ? runner.RunAsync(sweep, data, Topics.PollTick, MessageJson.Default.PollTick, cancellationToken)
            : runner.RunAsync(
                poll, data, Topics.TuningStarted, MessageJson.Default.TuningStarted, cancellationToken);

    // The message says it itself; the event knows it only when the push address names the topic.
    private static string? TopicOf(CloudEvent cloudEvent, PubSubPush? data) =>
        data?.Message?.Attributes?.GetValueOrDefault(Topics.Attribute)
        ?? (cloudEvent["topic"] as string)
        ?? cloudEvent.Source?.ToString().Split('/')[^1];
}
