using System.Text.Json;
using System.Text.Json.Serialization;
using FeedbackLoop.Evaluation;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Runs;
using FeedbackLoop.Tuning;
using Npgsql;

namespace FeedbackLoop.Cli.Runs;

/// <summary>A run as <c>training-status</c> shows it; the shape of its <c>--json</c>.</summary>
/// <param name="Progress">Of the export; null before it began.</param>
/// <param name="Extractions">How many the export has to look at, about; null unless it is at it.</param>
/// <param name="ApprovalAskedUsd">What a person has to approve before the run goes on; null when it waits for nobody.</param>
/// <param name="ApprovalUntil">Then it is skipped.</param>
/// <param name="ActualCostUsd">Null before the end, and when Vertex chose the epochs; see <see cref="TuningCost.ActualUsd"/>.</param>
/// <param name="TuningJobPage">In Google's console.</param>
/// <param name="Evaluation">The models that were compared; null in a list, empty when nothing was held out.</param>
internal sealed record RunReport(
    RunId RunId, Guid OrganizationId, string? Organization, Guid? ProjectId, string? Project, string Purpose,
    string Trigger, string RequestedBy, string State, string? Reason, bool IsOver, ExportProgress? Progress,
    long? Extractions, int? TrainExamples, int? ValidationExamples, int? TestExamples,
    decimal? EstimatedCostUsd, decimal? ApprovalAskedUsd, DateTimeOffset? ApprovalUntil, decimal? ApprovedUsd,
    decimal? ActualCostUsd, long? BillableTokens, long? DroppedExamples, string? BaseModel, Guid? ParentModelId, string? TuningJob,
    Uri? TuningJobPage, RunModel? Model, RunParameters Parameters, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt,
    DateTimeOffset? EndedAt, IReadOnlyList<RunEvent>? Timeline, IReadOnlyList<EvaluatedModel>? Evaluation)
{
    [JsonIgnore]
    public string Scope => ScopeName.Of(OrganizationId, Organization, ProjectId, Project);

    /// <summary>Nothing more happens by itself: it is over, or a person must decide.</summary>
    [JsonIgnore]
    public bool IsAtRest => IsOver || State is RunState.NeedsOperator or RunState.AwaitingApproval;

    /// <summary>What a script learns from the end of a run.</summary>
    public int ToExitCode() => State switch
    {
        RunState.Succeeded => Reason is null ? Cli.ExitCode.Done : Cli.ExitCode.Refused, // its model is kept back
        RunState.Failed => Cli.ExitCode.Failed,
        RunState.Skipped or RunState.Cancelled or RunState.NeedsOperator or RunState.AwaitingApproval =>
            Cli.ExitCode.Refused,
        _ => throw new InvalidOperationException($"run {RunId} is {State}, which is no end"),
    };

    /// <summary>One run with its timeline; null when there is none of that id.</summary>
    public static async Task<RunReport?> FindAsync(
        NpgsqlConnection db, RunId id, BaseModelCatalogue catalogue, CancellationToken cancellationToken)
    {
        if (await db.FindRunAsync(id, cancellationToken) is not { } run
            || await db.FindRunOverviewAsync(id, run.Purpose, ScopeFilter.Of(run.Scope), cancellationToken) is not { } found)
        {
            return null;
        }

        // After the row: what it says then stands in the timeline as well.
        var events = await db.ListRunEventsAsync(id, cancellationToken);
        var names = await db.ReadNamesAsync([found.Scope], cancellationToken);
        var extractions = found.State == RunState.Exporting
            ? await db.CountExtractionsAsync(found.Scope, cancellationToken)
            : (long?)null;
        var evaluation = await db.ListEvaluatedModelsAsync(id, cancellationToken);
        return Of(found, names, catalogue) with
        {
            Extractions = extractions,
            Timeline = events,
            Evaluation = evaluation,
        };
    }

    public static async Task<IReadOnlyList<RunReport>> ListAsync(
        NpgsqlConnection db, ScopeFilter filter, string? state, int limit, BaseModelCatalogue catalogue,
        CancellationToken cancellationToken)
    {
        var runs = await db.ListRunOverviewsAsync(
            RunPurpose.Training, filter, new RunFilter(state), after: null, limit, cancellationToken);
        var names = await db.ReadNamesAsync(runs.Select(run => run.Scope), cancellationToken);
        return [.. runs.Select(run => Of(run, names, catalogue))];
    }

    private static RunReport Of(
        RunOverview run, IReadOnlyDictionary<Guid, string> names, BaseModelCatalogue catalogue)
    {
        var statistics = TuningStatistics.FromJson(run.TuningStatisticsJson);
        var model = run.BaseModel is { } id ? catalogue.Find(id) : null;
        return new(
            run.Id, run.OrganizationId, names.GetValueOrDefault(run.OrganizationId), run.ProjectId,
            run.ProjectId is { } project ? names.GetValueOrDefault(project) : null, run.Purpose, run.Trigger,
            run.RequestedBy, run.State, run.Reason, RunTransitions.IsFinal(run.State),
            run.ProgressJson is { } json ? JsonSerializer.Deserialize(json, CliJson.Default.ExportProgress) : null,
            Extractions: null, run.TrainExamples, run.ValidationExamples, run.TestExamples, run.EstimatedCostUsd,
            run.State == RunState.AwaitingApproval ? run.ApprovalAskedUsd : null,
            run.State == RunState.AwaitingApproval ? run.DeadlineAt : null, run.ApprovedUsd,
            statistics is not null && model is not null
                ? TuningCost.ActualUsd(statistics, run.Parameters.Tuning.Epochs, model)
                : null,
            statistics?.BillableTokens, statistics?.DroppedExamples, run.BaseModel, run.ParentModelId, run.TuningJob,
            TuningConsole.JobPage(run.TuningJob),
            run is { ModelId: { } modelId, ModelVersion: { } version, ModelStatus: { } status }
                ? new RunModel(modelId, version, status, run.Verdict, run.VerdictReason)
                : null,
            run.Parameters, run.CreatedAt, run.UpdatedAt, run.EndedAt, Timeline: null, Evaluation: null);
    }
}

/// <summary>What a run made.</summary>
/// <param name="Verdict">Of its evaluation; null before that.</param>
internal sealed record RunModel(Guid Id, int Version, string Status, string? Verdict, string? VerdictReason);

/// <summary>A list of runs, newest first.</summary>
internal sealed record RunList(IReadOnlyList<RunReport> Runs);
