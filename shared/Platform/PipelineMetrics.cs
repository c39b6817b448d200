using System.Diagnostics;
using System.Diagnostics.Metrics;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Platform;

/// <summary>
/// The figures of the chain, one method for each event. Tags have few values and never an id: each combination is a series that
/// is paid for. What each one means stands in <c>docs/telemetry.md</c>.
/// </summary>
public static class PipelineMetrics
{
    public const string MeterName = "FeedbackLoop";

    private const string Topic = "topic";
    private const string Outcome = "outcome";
    private const string Tier = "tier";
    private const string Purpose = "purpose";
    private const string Trigger = "trigger";
    private const string Reason = "reason";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Counter<long> RunsStarted = Meter.CreateCounter<long>(
        "feedback_loop.run.started", "{run}", "Runs that were asked for");

    private static readonly Counter<long> RunsEnded = Meter.CreateCounter<long>(
        "feedback_loop.run.ended", "{run}", "Runs that came to an end");

    private static readonly Counter<long> RunsHalted = Meter.CreateCounter<long>(
        "feedback_loop.run.halted", "{run}", "Runs that came to rest without an end");

    private static readonly Histogram<double> StepDuration = Meter.CreateHistogram<double>(
        "feedback_loop.step.duration", "s", "Time from a message's arrival to its outcome",
        advice: new() { HistogramBucketBoundaries = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600] });

    private static readonly Counter<long> MessagesRejected = Meter.CreateCounter<long>(
        "feedback_loop.message.rejected", "{message}", "Messages that can never succeed");

    private static readonly Counter<long> Examples = Meter.CreateCounter<long>(
        "feedback_loop.example.exported", "{example}", "Examples written to a dataset");

    private static readonly Counter<long> ExamplesLeftOut = Meter.CreateCounter<long>(
        "feedback_loop.example.left_out", "{example}", "Candidates that became no example");

    private static readonly Counter<long> TuningJobs = Meter.CreateCounter<long>(
        "feedback_loop.tuning_job.created", "{job}", "Tuning jobs that Vertex AI has made");

    private static readonly Counter<double> TuningCost = Meter.CreateCounter<double>(
        "feedback_loop.tuning_job.estimated_cost", "USD", "What those jobs are expected to cost");

    private static readonly Histogram<double> CallDuration = Meter.CreateHistogram<double>(
        "gen_ai.client.operation.duration", "s", "Time that a model took to answer",
        advice: new()
        {
            HistogramBucketBoundaries =
                [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
        });

    private static readonly Histogram<long> CallTokens = Meter.CreateHistogram<long>(
        "gen_ai.client.token.usage", "{token}", "Tokens of one answer",
        advice: new()
        {
            HistogramBucketBoundaries =
                [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864],
        });

    private static readonly Counter<long> Fallbacks = Meter.CreateCounter<long>(
        "feedback_loop.extraction.fallback", "{fallback}", "Models that did not answer, so that the next tier was asked");

    private static readonly Counter<long> Extractions = Meter.CreateCounter<long>(
        "feedback_loop.extraction.ended", "{extraction}", "Extractions with a recorded result");

    private static readonly Counter<long> ExtractedObjects = Meter.CreateCounter<long>(
        "feedback_loop.extraction.object", "{object}", "Objects that extractions found");

    private static readonly Counter<long> EvaluationAnswers = Meter.CreateCounter<long>(
        "feedback_loop.evaluation.answer", "{answer}", "Answers to held-out chunks");

    private static readonly Counter<double> EvaluationCost = Meter.CreateCounter<double>(
        "feedback_loop.evaluation.cost", "USD", "What those answers cost");

    private static readonly Counter<long> Verdicts = Meter.CreateCounter<long>(
        "feedback_loop.evaluation.verdict", "{model}", "New models whose evaluation is over");

    private static readonly Gauge<int> OutboxWaiting = Meter.CreateGauge<int>(
        "feedback_loop.outbox.waiting", "{message}", "Messages in the outbox that are not sent");

    private static readonly Gauge<double> OutboxAge = Meter.CreateGauge<double>(
        "feedback_loop.outbox.age", "s", "Age of the oldest of them");

    /// <param name="purpose">One of <see cref="RunPurpose"/>.</param>
    /// <param name="trigger">One of <see cref="RunTrigger"/>.</param>
    public static void RunStarted(Scope scope, string purpose, string trigger) =>
        RunsStarted.Add(1, new(Tier, TierOf(scope)), new(Purpose, purpose), new(Trigger, trigger));

    /// <param name="state">A final one of <see cref="RunState"/>.</param>
    public static void RunEnded(Run run, string state) => RunsEnded.Add(
        1, new TagList
        {
            { Outcome, state },
            { Tier, TierOf(run.Scope) },
            { Purpose, run.Purpose },
            { Trigger, run.Trigger },
        });

    /// <param name="state"><c>create_unknown</c> or <c>needs_operator</c>.</param>
    public static void RunHalted(string state) => RunsHalted.Add(1, new KeyValuePair<string, object?>("state", state));

    /// <param name="outcome">A word of <see cref="StepOutcome"/>, or <c>failed</c> for an exception.</param>
    public static void StepEnded(string topic, string outcome, TimeSpan duration) =>
        StepDuration.Record(duration.TotalSeconds, new(Topic, topic), new(Outcome, outcome));

    public static void MessageRejected(string topic) =>
        MessagesRejected.Add(1, new KeyValuePair<string, object?>(Topic, topic));

    public static void DatasetExported(Scope scope, int trainExamples, int validationExamples, int testExamples)
    {
        Examples.Add(trainExamples, new(Tier, TierOf(scope)), new("split", "train"));
        Examples.Add(validationExamples, new(Tier, TierOf(scope)), new("split", "validation"));
        Examples.Add(testExamples, new(Tier, TierOf(scope)), new("split", "test"));
    }

    /// <param name="reason">One of the rules' own words, never a text.</param>
    public static void ExamplesWereLeftOut(string reason, int count) =>
        ExamplesLeftOut.Add(count, new KeyValuePair<string, object?>(Reason, reason));

    /// <param name="estimateUsd">Null when nothing is known of it.</param>
    public static void TuningJobCreated(Scope scope, string baseModel, decimal? estimateUsd)
    {
        TuningJobs.Add(1, new(Tier, TierOf(scope)), new(PipelineTraces.Tags.GenAiModel, baseModel));
        TuningCost.Add((double)(estimateUsd ?? 0), new(Tier, TierOf(scope)), new(PipelineTraces.Tags.GenAiModel, baseModel));
    }

    /// <param name="tier">Of the model that was asked.</param>
    public static void ModelAnswered(string tier, string baseModel, TimeSpan latency, int inputTokens, int outputTokens)
    {
        CallDuration.Record(latency.TotalSeconds, Call(tier, baseModel));
        var input = Call(tier, baseModel);
        input.Add("gen_ai.token.type", "input");
        CallTokens.Record(inputTokens, input);
        var output = Call(tier, baseModel);
        output.Add("gen_ai.token.type", "output");
        CallTokens.Record(outputTokens, output);
    }

    /// <param name="latency">Until the failure.</param>
    public static void ModelFailed(string tier, string baseModel, TimeSpan latency, Exception failure)
    {
        var call = Call(tier, baseModel);
        call.Add(PipelineTraces.Tags.ErrorType, failure.GetType().FullName);
        CallDuration.Record(latency.TotalSeconds, call);
    }

    /// <param name="tier">Of the model that did not answer.</param>
    public static void FellBack(string tier) => Fallbacks.Add(1, new KeyValuePair<string, object?>(Tier, tier));

    /// <param name="tier">Of the model that answered.</param>
    /// <param name="needReview">Objects that wait for a person.</param>
    /// <param name="accepted">Objects that do not.</param>
    public static void ExtractionEnded(string tier, bool isValid, int needReview, int accepted)
    {
        Extractions.Add(1, new(Tier, tier), new("valid", isValid));
        ExtractedObjects.Add(needReview, new(Tier, tier), new("needs_review", true));
        ExtractedObjects.Add(accepted, new(Tier, tier), new("needs_review", false));
    }

    /// <param name="role">Whose answer it is: <c>self</c>, <c>live</c>, <c>best</c>, <c>general</c> or <c>base</c>.</param>
    /// <param name="costUsd">Null when the price is not known.</param>
    public static void EvaluationAnswered(string role, bool isReadable, decimal? costUsd)
    {
        EvaluationAnswers.Add(1, new("role", role), new("readable", isReadable));
        EvaluationCost.Add((double)(costUsd ?? 0), new KeyValuePair<string, object?>("role", role));
    }

    /// <param name="verdict"><c>better</c>, <c>no_evidence</c> or <c>worse</c>.</param>
    public static void ModelJudged(Scope scope, string verdict, bool isLive) =>
        Verdicts.Add(1, new(Tier, TierOf(scope)), new("verdict", verdict), new("live", isLive));

    /// <param name="age">Of the oldest message; zero when none waits.</param>
    public static void OutboxMeasured(string topic, int waiting, TimeSpan age)
    {
        OutboxWaiting.Record(waiting, new KeyValuePair<string, object?>(Topic, topic));
        OutboxAge.Record(age.TotalSeconds, new KeyValuePair<string, object?>(Topic, topic));
    }

    private static string TierOf(Scope scope) => scope.IsGeneral ? "general" : "project";

    private static TagList Call(string tier, string baseModel) => new()
    {
        { PipelineTraces.Tags.GenAiOperation, PipelineTraces.Tags.GenerateContent },
        { PipelineTraces.Tags.GenAiProvider, PipelineTraces.Tags.VertexAi },
        { PipelineTraces.Tags.GenAiModel, baseModel },
        { Tier, tier },
    };
}
