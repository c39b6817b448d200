using System.Diagnostics;

namespace FeedbackLoop.Platform;

/// <summary>
/// The spans of the chain. A run is one trace, however many processes and hours it takes: its context travels on the run's row,
/// on the outbox and as an attribute of the message.
/// </summary>
/// <remarks>
/// Spans that carry a context exist without any listener too, because log lines and messages get their trace from them. They
/// name ids of rows, never a text, a prompt or an answer.
/// </remarks>
public static class PipelineTraces
{
    public const string SourceName = "FeedbackLoop";

    /// <summary>
    /// Name of the message attribute with the sender's context. Google's own Pub/Sub clients read and write the same one, so
    /// that a product that sends with them is joined as well.
    /// </summary>
    public const string MessageAttribute = "googclient_traceparent";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>
    /// What a new run's trace goes on from: the present span, and a new trace where there is none, as on the command line.
    /// </summary>
    public static string RunParent => Current ?? NewParent();

    /// <summary>The present span as W3C trace context; null when there is none.</summary>
    public static string? Current =>
        Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.Id : null;

    /// <summary>One delivery of a message, in the trace of its sender.</summary>
    /// <param name="subscription">Null when the push does not say.</param>
    /// <param name="runId">Null when the message is about no run, or cannot be read.</param>
    /// <param name="parent">What <see cref="MessageAttribute"/> holds; null, or not a context, begins a trace.</param>
    public static Activity StartProcessing(
        string topic, string messageId, string? subscription, string? runId, string? parent)
    {
        // The request that pushes the message is transport: its trace ends with the delivery.
        var activity = Start($"process {topic}", ActivityKind.Consumer, parent);
        SetMessaging(activity, "process", topic);
        activity.SetTag("messaging.message.id", messageId);
        activity.SetTag("messaging.destination.subscription.name", subscription);
        activity.SetTag(Tags.RunId, runId);
        return activity;
    }

    /// <summary>The sending of an outbox row, in the trace of whoever wrote it, not of whoever relays it.</summary>
    public static Activity StartSending(string topic, string? parent)
    {
        var activity = Start($"send {topic}", ActivityKind.Producer, parent);
        SetMessaging(activity, "send", topic);
        return activity;
    }

    /// <summary>A look at a run that no message asked for, in the run's trace and with a link to what it was done for.</summary>
    /// <param name="parent">Of the run's row; null when the run is older than its column.</param>
    public static Activity StartPoll(Guid runId, string? parent) =>
        Start("poll tuning job", ActivityKind.Internal, parent ?? Current).SetTag(Tags.RunId, runId.ToString());

    /// <summary>One call of GenerateContent.</summary>
    /// <param name="model">The base model: the one asked, or the one that the endpoint's model was tuned from.</param>
    /// <param name="endpoint">Null for the base model.</param>
    /// <returns>Null when nobody listens: nothing follows from this span.</returns>
    public static Activity? StartGeneration(string model, string? endpoint) =>
        Source.StartActivity($"{Tags.GenerateContent} {model}", ActivityKind.Client)
            ?.SetTag(Tags.GenAiOperation, Tags.GenerateContent)
            .SetTag(Tags.GenAiProvider, Tags.VertexAi)
            .SetTag(Tags.GenAiModel, model)
            .SetTag("feedback_loop.endpoint", endpoint);

    /// <summary>What the model used, and who it says it is.</summary>
    public static void SetAnswer(
        this Activity? activity, string finishReason, int inputTokens, int outputTokens, string? modelVersion) =>
        activity?.SetTag("gen_ai.response.finish_reasons", new[] { finishReason })
            .SetTag("gen_ai.usage.input_tokens", inputTokens)
            .SetTag("gen_ai.usage.output_tokens", outputTokens)
            .SetTag("gen_ai.response.model", modelVersion);

    /// <summary>By type only: what an exception says may repeat what it was given.</summary>
    public static void SetFailure(this Activity? activity, Exception failure) =>
        activity?.SetTag(Tags.ErrorType, failure.GetType().FullName).SetStatus(ActivityStatusCode.Error);

    private static Activity Start(string name, ActivityKind kind, string? parent)
    {
        var caller = Activity.Current;
        var isKnown = ActivityContext.TryParse(parent, null, isRemote: true, out var context);
        var links = caller is { IdFormat: ActivityIdFormat.W3C } && caller.TraceId != context.TraceId
            ? new[] { new ActivityLink(caller.Context) }
            : null;
        if (!isKnown)
        {
            // Without a parent, StartActivity would take the present span for one.
            Activity.Current = null;
        }

        return Source.StartActivity(name, kind, context, links: links) ?? StartUnheard(name, isKnown ? context : null);
    }

    private static Activity StartUnheard(string name, ActivityContext? parent)
    {
        var activity = new Activity(name).SetIdFormat(ActivityIdFormat.W3C);
        if (parent is { } context)
        {
            activity.SetParentId(context.TraceId, context.SpanId, context.TraceFlags);
        }

        return activity.Start();
    }

    private static void SetMessaging(Activity activity, string operation, string topic) => activity
        .SetTag("messaging.system", "gcp_pubsub")
        .SetTag("messaging.operation.name", operation)
        .SetTag("messaging.operation.type", operation)
        .SetTag("messaging.destination.name", topic);

    private static string NewParent() =>
        $"00-{ActivityTraceId.CreateRandom()}-{ActivitySpanId.CreateRandom()}-01";

    /// <summary>Names that spans and metrics share; those of OpenTelemetry where it has one (semantic conventions 1.37).</summary>
    internal static class Tags
    {
        public const string RunId = "feedback_loop.run.id";
        public const string Outcome = "feedback_loop.outcome";
        public const string ErrorType = "error.type";
        public const string GenAiOperation = "gen_ai.operation.name";
        public const string GenAiProvider = "gen_ai.provider.name";
        public const string GenAiModel = "gen_ai.request.model";
        public const string GenerateContent = "generate_content";
        public const string VertexAi = "gcp.vertex_ai";
    }
}
