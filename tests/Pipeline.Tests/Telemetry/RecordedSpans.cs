using System.Collections.Concurrent;
using System.Diagnostics;

namespace FeedbackLoop.Pipeline.Tests.Telemetry;

/// <summary>
/// Every span that this process ends, those of other tests among them: whoever asks names a trace. As an exporter with "always
/// on" would see them.
/// </summary>
internal sealed class RecordedSpans : IDisposable
{
    private readonly ConcurrentQueue<Activity> _ended = new();
    private readonly ActivityListener _listener;

    public RecordedSpans()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "FeedbackLoop" or "Npgsql" or "Microsoft.AspNetCore" or "System.Net.Http",
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _ended.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public IReadOnlyList<Activity> All => [.. _ended];

    public IReadOnlyList<Activity> Of(ActivityTraceId trace) => [.. _ended.Where(span => span.TraceId == trace)];

    /// <summary>Everything that a span says about itself.</summary>
    public static IEnumerable<string?> TextsOf(Activity span) =>
    [
        span.DisplayName, span.StatusDescription,
        .. span.TagObjects.Select(tag => Convert.ToString(tag.Value, null)),
        .. span.Events.SelectMany(each => each.Tags).Select(tag => Convert.ToString(tag.Value, null)),
    ];

    public void Dispose() => _listener.Dispose();
}
