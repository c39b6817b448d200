using System.Data.Common;
using FeedbackLoop.Datasets;
using FeedbackLoop.Evaluation;
using FeedbackLoop.Extraction;
using FeedbackLoop.Platform;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Spending;
using FeedbackLoop.Tuning;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.PollTuning;

/// <summary>How far an evaluation has come.</summary>
internal abstract record EvaluationProgress
{
    private EvaluationProgress()
    {
    }

    /// <param name="InUse">The tuned model that extractions of the scope used when that was planned, if any.</param>
    public sealed record Finished(EvaluationReport Report, RunId? InUse) : EvaluationProgress;

    /// <param name="Delay">Zero: go on at once, in another delivery.</param>
    /// <param name="Deadline">From then on; null: as it was.</param>
    public sealed record Unfinished(string Why, TimeSpan Delay, TimeSpan? Deadline) : EvaluationProgress;
}

/// <summary>
/// Asks a new model, and those that it may replace, about chunks that no tuning job was given. Each answer is kept as it comes:
/// whoever goes on asks only what is missing.
/// </summary>
internal sealed partial class HeldOutEvaluation(
    NpgsqlDataSource database,
    IExtractionModel model,
    IDatasetStore store,
    Failpoints failpoints,
    TimeProvider time,
    IOptions<EvaluationOptions> options,
    IOptions<BaseModelCatalogue> catalogue,
    IOptions<TuningOptions> tuning,
    SpendingTerms terms,
    ILogger<HeldOutEvaluation> logger)
{
    private static readonly TimeSpan WhileStopped = TimeSpan.FromMinutes(10);

    // What the service refuses of one request it refuses again.
    private static readonly StatusCode[] Refusals =
        [StatusCode.InvalidArgument, StatusCode.OutOfRange, StatusCode.Unimplemented];

    /// <param name="claim">In state <c>evaluating</c>; its lease is kept while this asks.</param>
    /// <param name="candidate">The new model, with its endpoint.</param>
    public async Task<EvaluationProgress> RunAsync(
        NpgsqlConnection db, Run claim, FineTunedModel candidate, CancellationToken cancellationToken)
    {
        var dataset = await db.FindDatasetAsync(candidate.DatasetId, cancellationToken)
            ?? throw new InvalidOperationException($"dataset {candidate.DatasetId} of model {candidate.Id} is gone");
        if (options.Value.MaxChunks == 0 || dataset.TestUri is null)
        {
            var inUse = await db.FindModelInUseAsync(candidate.Scope, cancellationToken);
            return Nothing(
                dataset.TestUri is null ? "no document is held out" : "evaluations are switched off", inUse?.Id);
        }

        var subjects = await PlanAsync(db, candidate, cancellationToken);
        if (await db.FindSpendingStopAsync(cancellationToken) is { } stop)
        {
            return new EvaluationProgress.Unfinished(
                $"all spending is stopped: {stop.Reason}", WhileStopped, tuning.Value.EvaluatingDeadline);
        }

        var answers = await db.ListAnswersAsync(candidate.Id, cancellationToken);
        if (claim.IsOverdue)
        {
            var finished = Finish(subjects, answers, isOutOfTime: true);
            return answers.Count > 0 || claim.Reason is null ? finished : Unasked(finished, claim.Reason);
        }

        IReadOnlyList<HeldOutChunk> chunks;
        try
        {
            chunks = await ReadChunksAsync(db, dataset, subjects, cancellationToken);
        }
        catch (Exception e) when (e is DatasetStoreException { IsPermanent: true } or InvalidDataException)
        {
            LogUnreadable(e, claim.Id);
            var finished = Finish(subjects, answers, isOutOfTime: false);
            return finished with
            {
                Report = finished.Report.KeptBack($"the held-out file {dataset.TestUri} cannot be read: {e.Message}"),
            };
        }

        if (chunks.Count == 0 && answers.Count == 0)
        {
            return Nothing(
                "no chunk is left to ask about: a compared model has learnt from the documents, or one would cost too much",
                InUse(subjects));
        }

        if (subjects.FirstOrDefault(subject => subject.Role == ComparedWith.Best) is { } best)
        {
            await db.AddRecordedAnswersAsync(candidate.Id, best, chunks, cancellationToken);
            answers = await db.ListAnswersAsync(candidate.Id, cancellationToken);
        }

        var work = new EvaluationWork(claim, candidate.Id, chunks, subjects, answers);
        if (await FindRefusalAsync(db, work, cancellationToken) is { } refusal)
        {
            // The deadline stays: a person has until then to raise the limit, and afterwards what was answered decides.
            return new EvaluationProgress.Unfinished(refusal, WhileStopped, Deadline: null);
        }

        await AskAsync(work, cancellationToken);

        // When the money is gone, what there is decides; but not that the new model could not be asked.
        return work.Missing == 0 || (work.CostUsd >= options.Value.MaxUsd && !work.HasFailed(ComparedWith.Self))
            ? Finish(work.Subjects, work.Answers, isOutOfTime: false)
            : new EvaluationProgress.Unfinished(
                $"{work.Missing} of {chunks.Count * work.Present.Count} answers to held-out chunks are missing{work.Trouble}",
                work.HasFailures ? options.Value.RetryDelay : TimeSpan.Zero, Deadline: null);
    }

    // All that is missing, or nothing of it. Evaluations that run side by side may pass the limit together, by Evaluation:MaxUsd each.
    private async Task<string?> FindRefusalAsync(
        NpgsqlConnection db, EvaluationWork work, CancellationToken cancellationToken)
    {
        var missing = work.ListMissing();
        return missing.Count == 0
            ? null
            : SpendingRule.RefuseEvaluation(
                await db.ReadSpendingAsync(work.Claim.OrganizationId, terms, time.GetUtcNow(), cancellationToken),
                missing.Sum(each => PriceOf(each.Subject) is { } price ? EvaluationPlan.EstimateUsd(each.Chunk, [price]) : 0),
                [.. work.Present.Where(each => PriceOf(each) is null).Select(each => each.BaseModel).Distinct()]);
    }

    // Nobody knows anything of it: where another tuned model is in use, that one stays.
    private static EvaluationProgress.Finished Unasked(EvaluationProgress.Finished finished, string why)
    {
        var decision = finished.Report.Decision;
        return finished with
        {
            Report = finished.Report with
            {
                Decision = decision with
                {
                    GoesLive = decision.GoesLive && finished.InUse is null,
                    Reason = $"no held-out chunk was answered in time: {why}",
                },
            },
        };
    }

    private EvaluationProgress.Finished Finish(
        IReadOnlyList<EvaluationSubject> subjects, IReadOnlyList<EvaluationAnswer> answers, bool isOutOfTime) => new(
            EvaluationReport.Of(subjects, answers, isOutOfTime, options.Value.Policy), InUse(subjects));

    private EvaluationProgress.Finished Nothing(string reason, RunId? inUse) =>
        new(EvaluationReport.Empty(reason, isTunedInUse: inUse is not null, options.Value.Policy), inUse);

    private static RunId? InUse(IReadOnlyList<EvaluationSubject> subjects) =>
        (subjects.FirstOrDefault(subject => subject.Role == ComparedWith.Live)
            ?? subjects.FirstOrDefault(subject => subject.Role == ComparedWith.General))?.ModelId;

    private async Task<IReadOnlyList<EvaluationSubject>> PlanAsync(
        NpgsqlConnection db, FineTunedModel candidate, CancellationToken cancellationToken)
    {
        if (await db.ListSubjectsAsync(candidate.Id, cancellationToken) is { Count: > 0 } planned)
        {
            return planned;
        }

        var scope = candidate.Scope;
        List<EvaluationSubject> subjects =
        [
            new(
                ComparedWith.Self, candidate.Id, candidate.Version, candidate.BaseModel, candidate.VertexEndpoint,
                Problem: null),
            new(ComparedWith.Base, null, null, catalogue.Value.DefaultId, Endpoint: null, Problem: null),
        ];
        var live = await db.FindReadyModelAsync(scope, cancellationToken);
        if (live is not null)
        {
            subjects.Add(Subject(ComparedWith.Live, live));
        }

        if (await db.FindBestModelAsync(scope, PromotionGate.DocumentsThatKeepBack, cancellationToken) is { } best
            && best.Id != live?.Id)
        {
            subjects.Add(Subject(ComparedWith.Best, best));
        }

        if (!scope.IsGeneral
            && await db.FindReadyModelAsync(new Scope(scope.OrganizationId, null), cancellationToken) is { } general)
        {
            subjects.Add(Subject(ComparedWith.General, general));
        }

        await db.PlanEvaluationAsync(candidate.Id, candidate.DatasetId, subjects, cancellationToken);
        return await db.ListSubjectsAsync(candidate.Id, cancellationToken);
    }

    private static EvaluationSubject Subject(string role, ReadyModel ready) =>
        new(role, ready.Id, ready.Version, ready.BaseModel, ready.Endpoint, Problem: null);

    // The file is in the order of a seeded shuffle: its first lines are a random sample.
    private async Task<IReadOnlyList<HeldOutChunk>> ReadChunksAsync(
        NpgsqlConnection db, Dataset dataset, IReadOnlyList<EvaluationSubject> subjects, CancellationToken cancellationToken)
    {
        var prices = subjects.Select(PriceOf).OfType<TokenPrice>().ToList();
        var documents = await db.ListTestDocumentsAsync(dataset.Id, cancellationToken);
        var learnt = await db.ListLearntDocumentsAsync(
            [.. subjects.Select(subject => subject.ModelId).OfType<RunId>()], [.. documents.Values.Distinct()],
            cancellationToken);
        var chunks = new List<HeldOutChunk>();
        var (planned, isFull) = (0m, false);
        await using var content = await store.OpenReadAsync(
            DatasetUri.NameOf(dataset.TestUri!), dataset.TestGeneration, cancellationToken); // without one nothing is read
        await foreach (var chunk in HeldOutFile.ReadAsync(content, dataset.TestSha256!, documents, cancellationToken))
        {
            // The file is read to its end, also when no more of it is wanted: its hash is of the whole. What one of the models
            // has seen in training tells nothing about the others.
            if (isFull || learnt.Contains(chunk.DocumentId))
            {
                continue;
            }

            var cost = EvaluationPlan.EstimateUsd(chunk, prices);
            isFull = !EvaluationPlan.HasRoom(chunks.Count, planned, cost, options.Value);
            if (!isFull)
            {
                chunks.Add(chunk);
                planned += cost;
            }
        }

        return chunks;
    }

    private async Task AskAsync(EvaluationWork work, CancellationToken cancellationToken)
    {
        using var asking = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var keeping = KeepLeaseAsync(work.Claim, asking);
        var start = time.GetTimestamp();
        var bound = new ParallelOptions
        {
            MaxDegreeOfParallelism = options.Value.Concurrency,
            CancellationToken = asking.Token,
        };
        try
        {
            await Parallel.ForEachAsync(work.ListMissing(), bound, async (question, token) =>
            {
                if (time.GetElapsedTime(start) < options.Value.SliceTime
                    && work.CostUsd < options.Value.MaxUsd && work.MayAsk(ComparedWith.Self) && work.MayAsk(question.Subject.Role))
                {
                    await AskAsync(work, question.Subject, question.Chunk, token);
                }
            });
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The lease is lost: what this worker would write next does not count any more.
        }
        finally
        {
            await asking.CancelAsync();
            await keeping;
        }
    }

    private async Task AskAsync(
        EvaluationWork work, EvaluationSubject subject, HeldOutChunk chunk, CancellationToken cancellationToken)
    {
        EvaluationAnswer answer;
        try
        {
            var given = await model.GenerateAsync(
                subject.BaseModel, subject.Endpoint, chunk.System, chunk.User, cancellationToken);
            answer = Score(subject, chunk, given);
        }
        catch (RpcException e) when (Refusals.Contains(e.StatusCode))
        {
            answer = new(
                subject.Role, chunk.Position, ExtractionScorer.Score(chunk.DocumentId, chunk.Text, chunk.Expected, null),
                $"{e.StatusCode}: {e.Status.Detail}", 0, 0, 0, 0);
        }
        catch (Exception e) when (
            e is RpcException or ExtractionModelGoneException && !cancellationToken.IsCancellationRequested)
        {
            // Asked again later: an endpoint that was just made may not answer at once, and a quota comes back.
            LogNoAnswer(e, work.ModelId, subject.Role, chunk.Position);
            if (work.AddFailure(subject, e) is { } gone)
            {
                await using var noting = await database.OpenConnectionAsync(cancellationToken);
                await noting.MarkSubjectGoneAsync(work.ModelId, subject.Role, gone, cancellationToken);
            }

            return;
        }

        // The answer is paid for: from here on it is stored, whatever becomes of the request.
        await using var db = await database.OpenConnectionAsync(CancellationToken.None);
        await db.AddAnswerAsync(work.ModelId, answer, chunk.ContentHash, CancellationToken.None);
        work.Add(answer);
        PipelineMetrics.EvaluationAnswered(answer.Role, answer.Problem is null, answer.CostUsd);
        await failpoints.ReachAsync(Failpoint.EvaluationAnswerStored);
    }

    private EvaluationAnswer Score(EvaluationSubject subject, HeldOutChunk chunk, ExtractionAnswer given)
    {
        // Not the reader's own words: they quote the answer, and no text of a document is kept here.
        var content = AnswerParser.TryRead(given, out var read, out _) ? ScoredContent.Of(read) : null;
        var problem = content is not null ? null
            : given.FinishReason == "Stop" ? "it has not the form that was asked for"
            : $"it ended early: {given.FinishReason}";
        return new(
            subject.Role, chunk.Position, ExtractionScorer.Score(chunk.DocumentId, chunk.Text, chunk.Expected, content),
            problem, (int)given.Latency.TotalMilliseconds, given.InputTokens, given.OutputTokens,
            PriceOf(subject)?.Of(given.InputTokens, given.OutputTokens));
    }

    private TokenPrice? PriceOf(EvaluationSubject subject) =>
        catalogue.Value.FindServingPrice(subject.BaseModel, isTuned: subject.Endpoint is not null);

    // With a connection of its own: one call may take longer than the lease, and nothing is stored meanwhile.
    private async Task KeepLeaseAsync(Run claim, CancellationTokenSource asking)
    {
        try
        {
            using var timer = new PeriodicTimer(tuning.Value.Lease / 3, time);
            while (await timer.WaitForNextTickAsync(asking.Token))
            {
                await using var db = await database.OpenConnectionAsync(asking.Token);
                if (!await db.ExtendLeaseAsync(claim, tuning.Value.Lease, progressJson: null, asking.Token))
                {
                    LogLeaseLost(exception: null, claim.Id);
                    await asking.CancelAsync();
                }
            }
        }
        catch (OperationCanceledException) when (asking.IsCancellationRequested)
        {
            // It is over.
        }
        catch (DbException e)
        {
            LogLeaseLost(e, claim.Id);
            await asking.CancelAsync();
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The held-out chunks of run {RunId} cannot be read")]
    private partial void LogUnreadable(Exception exception, RunId runId);

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "Run {RunId}: the {Role} model did not answer to held-out chunk {Position}")]
    private partial void LogNoAnswer(Exception exception, RunId runId, string role, int position);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Run {RunId} is not this worker's any more, in mid-evaluation")]
    private partial void LogLeaseLost(Exception? exception, RunId runId);
}
