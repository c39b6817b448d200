using System.Buffers;
using System.Collections.Frozen;
using System.Diagnostics;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace FeedbackLoop.Platform;

/// <summary>
/// A log entry as Cloud Logging reads it from standard output: one JSON object a line, with the trace that it belongs to
/// (https://cloud.google.com/logging/docs/structured-logging).
/// </summary>
/// <param name="projectId">Of Google Cloud: the trace's name begins with it.</param>
/// <param name="service">What Error Reporting groups errors by; null outside Cloud Run.</param>
/// <param name="version">Of the service; null outside Cloud Run.</param>
public sealed class CloudLogFormatter(string projectId, string? service, string? version, TimeProvider time)
{
    private const string ReportedError =
        "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent";

    // The default escapes quotes and every letter that is not ASCII; a log is read by people and never lands in HTML.
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // Members of this format, and what the host puts into its scopes that is said otherwise, or says nothing here.
    private static readonly FrozenSet<string> Reserved = FrozenSet.Create(
        StringComparer.Ordinal, "severity", "message", "time", "stack_trace", "serviceContext", "@type", "{OriginalFormat}",
        "SpanId", "TraceId", "ParentId", "ConnectionId", "RequestId");

    /// <summary>Writes one line, its line feed included.</summary>
    /// <param name="state">The arguments of the message as pairs, or anything else.</param>
    public void Write<TState>(
        IBufferWriter<byte> line, string category, LogLevel level, string message, TState state, Exception? exception,
        IExternalScopeProvider scopes)
    {
        using (var json = new Utf8JsonWriter(line, Readable))
        {
            json.WriteStartObject();
            json.WriteString("severity", Severity(level));
            json.WriteString("time", time.GetUtcNow().UtcDateTime);
            json.WriteString("message", message);
            WriteException(json, level, exception);
            WriteTrace(json);
            WriteLabels(json, category, scopes);
            if (state is IEnumerable<KeyValuePair<string, object?>> arguments)
            {
                WriteArguments(json, arguments);
            }

            json.WriteEndObject();
        }

        line.Write("\n"u8);
    }

    // Error Reporting groups by the stack; it takes what C#'s ToString writes
    // (https://cloud.google.com/error-reporting/docs/formatting-error-messages). A warning's is not an error for it.
    private void WriteException(Utf8JsonWriter json, LogLevel level, Exception? exception)
    {
        if (exception is null)
        {
            return;
        }

        if (level < LogLevel.Error)
        {
            json.WriteString("warning_trace", exception.ToString());
            return;
        }

        json.WriteString("@type", ReportedError);
        json.WriteString("stack_trace", exception.ToString());
        if (service is not null)
        {
            json.WriteStartObject("serviceContext");
            json.WriteString("service", service);
            json.WriteString("version", version);
            json.WriteEndObject();
        }
    }

    private void WriteTrace(Utf8JsonWriter json)
    {
        if (Activity.Current is not { IdFormat: ActivityIdFormat.W3C } activity)
        {
            return;
        }

        json.WriteString("logging.googleapis.com/trace", $"projects/{projectId}/traces/{activity.TraceId}");
        json.WriteString("logging.googleapis.com/spanId", activity.SpanId.ToString());
        json.WriteBoolean("logging.googleapis.com/trace_sampled", activity.Recorded);
    }

    // Labels are strings, and each name stands once: the innermost scope wins.
    private static void WriteLabels(Utf8JsonWriter json, string category, IExternalScopeProvider scopes)
    {
        var labels = new Dictionary<string, string?>();
        scopes.ForEachScope(
            static (scope, labels) =>
            {
                if (scope is IEnumerable<KeyValuePair<string, object?>> pairs)
                {
                    foreach (var (name, value) in pairs.Where(pair => !Reserved.Contains(pair.Key)))
                    {
                        labels[name] = Text(value);
                    }
                }
            },
            labels);
        labels["category"] = category;
        json.WriteStartObject("logging.googleapis.com/labels");
        foreach (var (name, value) in labels)
        {
            json.WriteString(name, value);
        }

        json.WriteEndObject();
    }

    private static void WriteArguments(Utf8JsonWriter json, IEnumerable<KeyValuePair<string, object?>> arguments)
    {
        var written = new HashSet<string>();
        foreach (var (name, value) in arguments)
        {
            if (Reserved.Contains(name) || !written.Add(name))
            {
                continue;
            }

            switch (value)
            {
                case bool flag:
                    json.WriteBoolean(name, flag);
                    break;
                case int or long or short or byte:
                    json.WriteNumber(name, Convert.ToInt64(value, CultureInfo.InvariantCulture));
                    break;
                case double number when double.IsFinite(number):
                    json.WriteNumber(name, number);
                    break;
                case decimal amount:
                    json.WriteNumber(name, amount);
                    break;
                default:
                    json.WriteString(name, Text(value));
                    break;
            }
        }
    }

    private static string? Text(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture);

    private static string Severity(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "DEBUG",
        LogLevel.Information => "INFO",
        LogLevel.Warning => "WARNING",
        LogLevel.Error => "ERROR",
        LogLevel.Critical => "CRITICAL",
        _ => throw new ArgumentOutOfRangeException(nameof(level), level, null),
    };
}
