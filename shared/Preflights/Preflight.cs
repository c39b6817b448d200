using System.Text.Json;
using FeedbackLoop.Datasets;
using FeedbackLoop.Examples;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Pii;
using FeedbackLoop.Platform;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Spending;
using FeedbackLoop.Tuning;
using Google.Cloud.AIPlatform.V1;
using Google.Protobuf;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.Preflights;

/// <summary>What a check needs to know of the installation.</summary>
/// <param name="Bucket">Where a run would write its files.</param>
/// <param name="AssumedEpochs">As <see cref="TuningOptions.AssumedEpochs"/>.</param>
public sealed record PreflightInstallation(
    TuningTarget Target, string Bucket, ExportOptions Export, int AssumedEpochs, BaseModelCatalogue Catalogue,
    VerificationOptions Verification, SpendingTerms Terms);

/// <summary>
/// Goes the way of a run up to the call that costs money, with the code of a run: the exporter, into a store that only
/// counts; the plan, the limits, the price and the spending rule of the train step; and the request that it would send.
/// </summary>
/// <param name="open">A connection that sees the scope; four are open at once.</param>
public sealed class Preflight(
    Func<CancellationToken, ValueTask<NpgsqlConnection>> open, PiiScanner scanner, TokenCounter tokens,
    PreflightInstallation installation, TimeProvider time)
{
    // Of no run: an id is a version 7 UUID. Where the request names it, the report has a placeholder.
    private static readonly RunId NoRun = new(Guid.Empty);

    /// <param name="purpose">One of <see cref="RunPurpose"/>.</param>
    /// <param name="startsRun">Whether a run of the scope that is not over would be in the way.</param>
    /// <param name="progress">Called now and then with what has been looked at.</param>
    public async Task<PreflightReport> CheckAsync(
        Scope scope, string purpose, RunParameters parameters, bool startsRun,
        Func<ExportProgress, CancellationToken, Task> progress, CancellationToken cancellationToken)
    {
        var store = new CountingDatasetStore(installation.Bucket);
        var exporter = new DatasetExporter(
            open, scanner, tokens, new Failpoints(), Options.Create(installation.Verification));
        var minimum = installation.Export.MinExamples(scope, purpose, parameters.Export);
        var result = await exporter.ExportAsync(
            scope, parameters.Export, installation.Export.TestShare, installation.Export.MaxContributorShare(scope), minimum,
            store, FolderOf(scope), progress, (_, _) => Task.CompletedTask, cancellationToken);

        await using var db = await open(cancellationToken);
        var live = startsRun ? await db.FindLiveRunAsync(scope, purpose, cancellationToken) : null;
        var refusals = new List<PreflightRefusal>();
        if (live is not null)
        {
            refusals.Add(new(PreflightObstacle.LiveRun, $"run {live.Id} is {live.State}"));
        }

        if (startsRun && purpose == RunPurpose.Training
            && await db.CountRunsOfDayAsync(scope, time.GetUtcNow(), cancellationToken) is var today
            && today.Refuse(installation.Terms.Options.RunsPerDay) is { } tooMany)
        {
            refusals.Add(new(PreflightObstacle.RunsPerDay, tooMany));
        }

        if (result is ExportResult.Refused refused)
        {
            refusals.Add(new(PreflightObstacle.TooLittleData, refused.Reason));
        }

        var run = PlannedRun(scope, purpose, parameters);
        var dataset = result is ExportResult.Exported exported
            ? Dataset.Of(Guid.Empty, run.Id, scope, store.UriOf(FolderOf(scope)), exported)
            : null;
        var (tuning, general) = purpose == RunPurpose.Training
            ? await PlanAsync(db, run, dataset, store, refusals, cancellationToken)
            : (null, null);
        return Report(run, result, dataset, live, refusals, minimum, tuning, general);
    }

    private async Task<(PreflightTuning? Tuning, GeneralTraining? General)> PlanAsync(
        NpgsqlConnection db, Run run, Dataset? dataset, CountingDatasetStore store, List<PreflightRefusal> refusals,
        CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        var general = await db.FindReadyModelAsync(run.Scope with { ProjectId = null }, cancellationToken);
        var (plan, reason) = dataset is null
            ? TuningPlan.Choose(
                run.Scope, run.Parameters.Tuning, general, installation.Catalogue, installation.Target.Region, today)
            : TuningPlan.Make(run, dataset, general, installation.Catalogue, installation.Target.Region, today);
        if (reason is not null)
        {
            var isOfFiles = dataset is not null && DatasetLimits.Check(dataset) is not null;
            refusals.Add(new(isOfFiles ? PreflightObstacle.DatasetLimits : PreflightObstacle.BaseModel, reason));
        }

        var stop = await db.FindSpendingStopAsync(cancellationToken);
        var spending = await db.ReadSpendingAsync(run.OrganizationId, installation.Terms, now, cancellationToken);
        decimal? estimate = plan is null || dataset is null
            ? null
            : TuningCost.EstimateUsd(
                dataset.EstimatedTokens, run.Parameters.Tuning, installation.AssumedEpochs, plan, installation.Catalogue);
        var hold = plan is not null && dataset is not null
            ? SpendingRule.Refuse(stop, spending, estimate, plan.BaseModel)
            : SpendingRule.Hold(stop, spending);
        if (hold is not null)
        {
            refusals.Add(new(PreflightObstacle.Spending, hold));
        }

        var training = plan is null ? null : await GeneralTraining.FindAsync(db, run.Scope, plan, cancellationToken);
        if (plan is null || dataset is null)
        {
            return (null, training);
        }

        var trainUri = store.UriOf(TuningRequest.AttemptFile(FolderOf(run.Scope), []));
        var request = TuningRequest.Build(installation.Target, run, dataset, plan, trainUri, attempt: 1);
        var wish = run.Parameters.Tuning;
        var approval = ApprovalRule.Ask(
            estimate, await db.FindLastEstimateAsync(run, cancellationToken), approvedUsd: null, installation.Terms.Options);
        var found = new PreflightTuning(
            installation.Target.Region, plan.BaseModel, plan.Parent?.Id.Value, plan.Parent?.Version,
            dataset.EstimatedTokens, wish.Epochs ?? installation.AssumedEpochs, wish.Epochs is null,
            installation.Catalogue.Get(plan.BaseModel).TrainingPrice, estimate, spending.LimitUsd, spending.CommittedUsd,
            approval, WithPlaceholders(run, request));
        return (found, training);
    }

    private static PreflightReport Report(
        Run run, ExportResult result, Dataset? dataset, Run? live, List<PreflightRefusal> refusals, int minimum,
        PreflightTuning? tuning, GeneralTraining? general)
    {
        var content = (result as ExportResult.Exported)?.Content;
        var refused = result as ExportResult.Refused;
        return new(
            run.OrganizationId, run.ProjectId, run.Purpose,
            content?.SnapshotAt ?? refused!.SnapshotAt, // either of the two
            refusals.Count == 0, refusals, live is null ? null : new(live.Id.Value, live.State), minimum,
            content?.Counts ?? refused!.Statistics.Counts,
            content?.Excluded ?? refused!.Statistics.Excluded,
            content?.LeftOut ?? refused!.Statistics.LeftOut,
            content?.Files ?? new Dictionary<string, DatasetFileInfo>(),
            content is null || dataset is null
                ? []
                : [.. DatasetLimits.Measure(dataset),
                    new("tokens_per_example", content.Maxima.Tokens, run.Parameters.Export.MaxTokens)],
            tuning, run.Parameters, general, content?.Contributors ?? refused?.Statistics.Contributors);
    }

    private static Run PlannedRun(Scope scope, string purpose, RunParameters parameters) => new()
    {
        Id = NoRun,
        OrganizationId = scope.OrganizationId,
        ProjectId = scope.ProjectId,
        Purpose = purpose,
        Trigger = RunTrigger.Manual,
        RequestedBy = "preflight",
        ParametersJson = parameters.ToJson(),
        Version = 0,
        State = RunState.Requested,
        Epoch = 0,
        StepAttempts = 0,
        PollCount = 0,
        CreatedAt = default,
        IsOverdue = false,
    };

    private static JsonElement WithPlaceholders(Run run, CreateTuningJobRequest request)
    {
        var json = JsonFormatter.Default.Format(request)
            .Replace(FolderOf(run.Scope), NamedFolderOf(run.Scope), StringComparison.Ordinal)
            .Replace(run.Id.ToString(), "{run}", StringComparison.Ordinal);
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    private static string FolderOf(Scope scope) => scope.DatasetFolder(version: 0, epoch: 0);

    private static string NamedFolderOf(Scope scope) =>
        FolderOf(scope).Replace("/v0/e0/", "/v{time}/e{claim}/", StringComparison.Ordinal);
}
