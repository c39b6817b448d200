using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using FeedbackLoop.Platform;

namespace FeedbackLoop.Pipeline.Tests.Telemetry;

/// <summary>One measurement, with its tags as <c>name=value</c>.</summary>
internal sealed record Measured(string Instrument, string? Unit, double Value, IReadOnlyList<string> Tags);

/// <summary>What this process measures, other tests included.</summary>
internal sealed class RecordedMetrics : IDisposable
{
    private readonly ConcurrentQueue<Measured> _measured = new();
    private readonly MeterListener _listener = new();

    public RecordedMetrics()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == PipelineMetrics.MeterName)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Keep(instrument, value, tags));
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Keep(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Keep(instrument, value, tags));
        _listener.Start();
    }

    public IReadOnlyList<Measured> All => [.. _measured];

    public void Dispose() => _listener.Dispose();

    private void Keep(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var words = new List<string>();
        foreach (var (name, tag) in tags)
        {
            words.Add($"{name}={tag}");
        }

        _measured.Enqueue(new(instrument.Name, instrument.Unit, value, words));
    }
}
