using System.Text.Json;
using System.Text.Json.Serialization;
using FeedbackLoop.AdminApi.Exports;
using FeedbackLoop.AdminApi.Extractions;
using FeedbackLoop.AdminApi.Models;
using FeedbackLoop.AdminApi.People;
using FeedbackLoop.AdminApi.Runs;
using FeedbackLoop.AdminApi.Schedules;
using FeedbackLoop.AdminApi.Selection;
using FeedbackLoop.AdminApi.Statistics;
using FeedbackLoop.AdminApi.Training;
using FeedbackLoop.AdminApi.Ui;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Lineage;
using FeedbackLoop.Metrics;
using FeedbackLoop.Preflights;
using FeedbackLoop.Runs;
using FeedbackLoop.Scheduling;

namespace FeedbackLoop.AdminApi;

/// <summary>
/// The wire of this API: camelCase, enums as words. What people send is read strictly: a member that is unknown, missing,
/// repeated or of another type is refused, because a silent reading would start a training of something else.
/// </summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, Converters = [typeof(PiiPolicyWords)])]
[JsonSerializable(typeof(Health.Health))]
[JsonSerializable(typeof(Me))]
[JsonSerializable(typeof(StartExportInput))]
[JsonSerializable(typeof(ExportDetails))]
[JsonSerializable(typeof(DownloadAsked))]
[JsonSerializable(typeof(DownloadEnded))]
[JsonSerializable(typeof(Page<ExportDetails>))]
[JsonSerializable(typeof(TrainGeneralInput))]
[JsonSerializable(typeof(TrainProjectInput))]
[JsonSerializable(typeof(TrainingPreflightInput))]
[JsonSerializable(typeof(PreflightReport))]
[JsonSerializable(typeof(Started))]
[JsonSerializable(typeof(ReasonInput))]
[JsonSerializable(typeof(ApproveInput))]
[JsonSerializable(typeof(RunDetails))]
[JsonSerializable(typeof(Page<RunSummary>))]
[JsonSerializable(typeof(PromoteInput))]
[JsonSerializable(typeof(Promotion))]
[JsonSerializable(typeof(ModelDetails))]
[JsonSerializable(typeof(ModelLiveStatus))]
[JsonSerializable(typeof(Page<ModelSummary>))]
[JsonSerializable(typeof(SelectedModel))]
[JsonSerializable(typeof(ProjectStatisticsView))]
[JsonSerializable(typeof(OrganizationStatisticsView))]
[JsonSerializable(typeof(ExtractionMetrics))]
[JsonSerializable(typeof(ConfirmEmptyInput))]
[JsonSerializable(typeof(EmptyConfirmation))]
[JsonSerializable(typeof(LineageAnswer))]
[JsonSerializable(typeof(ScheduleSettings))]
[JsonSerializable(typeof(ScheduleView))]
[JsonSerializable(typeof(UiSettings))]
[JsonSerializable(typeof(ExportProgress))]
[JsonSerializable(typeof(Dictionary<string, string[]>))]
internal sealed partial class AdminJson : JsonSerializerContext
{
    public static void Configure(JsonSerializerOptions options)
    {
        options.TypeInfoResolverChain.Insert(0, Default);
        options.Converters.Add(new PiiPolicyWords());
        options.PropertyNameCaseInsensitive = false;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.AllowDuplicateProperties = false;
        options.RespectNullableAnnotations = true;
        options.RespectRequiredConstructorParameters = true;
        options.MaxDepth = 32;
    }
}

/// <summary><c>exclude</c>, <c>redact</c>, <c>allow</c>; never a number.</summary>
internal sealed class PiiPolicyWords()
    : JsonStringEnumConverter<PiiPolicy>(JsonNamingPolicy.CamelCase, allowIntegerValues: false);
