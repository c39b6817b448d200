using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Google.Cloud.Functions.Hosting;

/// <param name="State">The message's template and arguments as pairs, or anything else.</param>
internal sealed record LogEntry(
    string Category,
    LogLevel Level,
    string Message,
    Exception? Exception,
    object? State,
    IExternalScopeProvider Scopes);

internal interface ILogFormat
{
    string Format(LogEntry entry);
}

/// <summary><c>timestamp [category] [level] message</c>, an exception on the lines after it.</summary>
internal sealed class PlainLogFormat(TimeProvider time) : ILogFormat
{
    public string Format(LogEntry entry)
    {
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{time.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss.fff'Z'} "
            + $"[{entry.Category}] [{Name(entry.Level)}] {entry.Message}");
        return entry.Exception is null ? line : $"{line}{Environment.NewLine}{entry.Exception}";
    }

    private static string Name(LogLevel level) => level switch
    {
        LogLevel.Trace => "trce",
        LogLevel.Debug => "dbug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        LogLevel.Critical => "crit",
        _ => throw new ArgumentOutOfRangeException(nameof(level), level, null),
    };
}

/// <summary>One JSON object per line; Cloud Logging reads its <c>message</c> and <c>severity</c>.</summary>
internal sealed class JsonLogFormat : ILogFormat
{
    // The default escapes quotes and every non-ASCII letter as \uXXXX; a log is read by people and never lands in HTML.
    private static readonly JsonWriterOptions Readable =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public string Format(LogEntry entry)
    {
        var line = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(line, Readable))
        {
            json.WriteStartObject();
            json.WriteString("message", entry.Message);
            json.WriteString("category", entry.Category);
            if (entry.Exception is { } exception)
            {
                json.WriteString("exception", exception.ToString());
            }

            json.WriteString("severity", Severity(entry.Level));
            if (entry.State is IEnumerable<KeyValuePair<string, object?>> parameters)
            {
                json.WritePropertyName("format_parameters");
                WritePairs(json, parameters);
            }

            WriteScopes(json, entry.Scopes);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(line.WrittenSpan);
    }

    private static void WriteScopes(Utf8JsonWriter json, IExternalScopeProvider provider)
    {
        var scopes = new List<object>();
        provider.ForEachScope(
            static (scope, found) =>
            {
                if (scope is not null)
                {
                    found.Add(scope);
                }
            },
            scopes);
        if (scopes.Count == 0)
        {
            return;
        }

        json.WriteStartArray("scopes");
        foreach (var scope in scopes)
        {
            if (scope is IEnumerable<KeyValuePair<string, object?>> pairs)
            {
                WritePairs(json, pairs);
            }
            else
            {
                json.WriteStringValue(Text(scope));
            }
        }

        json.WriteEndArray();
    }

    private static void WritePairs(Utf8JsonWriter json, IEnumerable<KeyValuePair<string, object?>> pairs)
    {
        json.WriteStartObject();
        foreach (var (name, value) in pairs)
        {
            json.WriteString(name, Text(value));
        }

        json.WriteEndObject();
    }

    private static string? Text(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture);

    /// <summary>Cloud Logging's names: https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry.</summary>
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
