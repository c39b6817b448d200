using System.Text.Json.Serialization;
using FeedbackLoop.Cli.Commands;
using FeedbackLoop.Cli.Commands.Lineage;
using FeedbackLoop.Cli.Commands.Schedules;
using FeedbackLoop.Cli.Commands.Spending;
using FeedbackLoop.Cli.Runs;
using FeedbackLoop.Lineage;
using FeedbackLoop.Preflights;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Cli;

/// <summary>The object of a command that did not do its work.</summary>
/// <param name="RunId">The run that stands in the way, if one does.</param>
/// <param name="RunState">Its state.</param>
internal sealed record CommandProblem(int ExitCode, string Problem, string? Remedy, RunId? RunId, string? RunState);

/// <summary>What <c>--json</c> writes.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CommandProblem))]
[JsonSerializable(typeof(MigrateResult))]
[JsonSerializable(typeof(ImportResult))]
[JsonSerializable(typeof(ExportCommandResult))]
[JsonSerializable(typeof(ExportAsked))]
[JsonSerializable(typeof(ExportEnded))]
[JsonSerializable(typeof(UploadResult))]
[JsonSerializable(typeof(TrainResult))]
[JsonSerializable(typeof(RunReport))]
[JsonSerializable(typeof(RunList))]
[JsonSerializable(typeof(ExportProgress))]
[JsonSerializable(typeof(PreflightReport))]
[JsonSerializable(typeof(ApproveResult))]
[JsonSerializable(typeof(CancelResult))]
[JsonSerializable(typeof(ModelList))]
[JsonSerializable(typeof(SelectionResult))]
[JsonSerializable(typeof(ExtractResult))]
[JsonSerializable(typeof(ConfirmEmptyResult))]
[JsonSerializable(typeof(PromotionResult))]
[JsonSerializable(typeof(LineageAnswer))]
[JsonSerializable(typeof(ForgetDocumentResult))]
[JsonSerializable(typeof(SpendingReport))]
[JsonSerializable(typeof(SpendingSwitch))]
[JsonSerializable(typeof(SyncJobsResult))]
[JsonSerializable(typeof(ScheduleReport))]
[JsonSerializable(typeof(ReplayReport))]
[JsonSerializable(typeof(CompletionScript))]
internal sealed partial class CliJson : JsonSerializerContext;
