using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.Datasets;
using FeedbackLoop.Examples;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Pii;
using FeedbackLoop.Preflights;
using FeedbackLoop.Runs;
using FeedbackLoop.Spending;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.AdminApi.Training;

/// <summary>What came of a check.</summary>
internal abstract record PreflightOutcome
{
    private PreflightOutcome()
    {
    }

    public sealed record Checked(PreflightReport Report) : PreflightOutcome;

    /// <summary>Others were being checked for all the time there was.</summary>
    public sealed record NoPlace : PreflightOutcome;

    /// <summary>It was begun and given up.</summary>
    public sealed record NoTime : PreflightOutcome;
}

/// <summary>
/// Preflights in requests: a few at once, for a limited time, by connections that see the caller's organizations only. The
/// latest of a training is kept, so that the pages know whether there is enough.
/// </summary>
internal sealed class PreflightChecks(
    PiiScanner scanner, TokenCounter tokens, ITuningService tuning, IOptions<GoogleCloudOptions> cloud,
    IOptions<ExportOptions> export, IOptions<TuningOptions> tuningOptions, IOptions<BaseModelCatalogue> catalogue,
    IOptions<VerificationOptions> verification, IOptions<AdminApiOptions> options, SpendingTerms terms, TimeProvider time)
    : IDisposable
{
    private static readonly TimeSpan PatienceForPlace = TimeSpan.FromSeconds(10);

    // A check holds four connections and half a processor.
    private readonly SemaphoreSlim _places = new(options.Value.MaxConcurrentPreflights);

    public void Dispose() => _places.Dispose();

    /// <param name="purpose">One of <see cref="RunPurpose"/>.</param>
    /// <param name="limit">Waiting for a place is part of it.</param>
    /// <param name="cancellationToken">Ends when the client goes away, and the reading with it.</param>
    public async Task<PreflightOutcome> CheckAsync(
        Caller caller, Scope scope, string purpose, RunParameters parameters, TimeSpan limit,
        CancellationToken cancellationToken)
    {
        using var clock = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(clock.Token, cancellationToken);
        if (!await _places.WaitAsync(limit < PatienceForPlace ? limit : PatienceForPlace, cancellationToken))
        {
            return new PreflightOutcome.NoPlace();
        }

        try
        {
            var preflight = new Preflight(caller.OpenAsync, scanner, tokens, Installation(), time);
            var report = await preflight.CheckAsync(
                scope, purpose, parameters, startsRun: true, (_, _) => Task.CompletedTask, either.Token);
            if (purpose == RunPurpose.Training)
            {
                await using var db = await caller.OpenAsync(either.Token);
                await db.SavePreflightAsync(report, caller.Actor, time.GetUtcNow(), either.Token);
            }

            return new PreflightOutcome.Checked(report);
        }
        catch (OperationCanceledException) when (clock.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return new PreflightOutcome.NoTime();
        }
        finally
        {
            _places.Release();
        }
    }

    private PreflightInstallation Installation() => new(
        tuning.Target, cloud.Value.Bucket, export.Value, tuningOptions.Value.AssumedEpochs, catalogue.Value, verification.Value,
        terms);
}
