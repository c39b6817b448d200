using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dapper;
using FeedbackLoop.Runs;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace FeedbackLoop.Platform;

/// <summary>Decodes a message, runs its step in the message's trace and writes the one log line of the delivery.</summary>
public sealed partial class StepRunner(NpgsqlDataSource database, ILogger<StepRunner> logger)
{
    private const int LongestKeptBody = 4_000;

    /// <param name="push">Null when the push had no body.</param>
    /// <param name="topic">The topic that <typeparamref name="T"/> travels on.</param>
    public async Task RunAsync<T>(
        IStep<T> step, PubSubPush? push, string topic, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        var messageId = push?.Message?.MessageId ?? "none";
        var started = Stopwatch.GetTimestamp();
        var (message, reason) = Decode(push, topic, type);
        var runId = (message as IRunMessage)?.RunId.ToString();
        using var activity = PipelineTraces.StartProcessing(
            topic, messageId, push?.Subscription, runId,
            push?.Message?.Attributes?.GetValueOrDefault(PipelineTraces.MessageAttribute));
        using var scope = logger.BeginScope(new MessageScope(topic, messageId, runId));
        var word = "failed";
        try
        {
            var outcome = message is null
                ? new StepOutcome.Rejected(reason)
                : await step.RunAsync(message, cancellationToken);
            await ReportAsync(outcome, push, topic, messageId, cancellationToken);
            word = outcome.Word;
        }
        catch (Exception e)
        {
            activity.SetFailure(e);
            throw;
        }
        finally
        {
            activity.SetTag(PipelineTraces.Tags.Outcome, word);
            PipelineMetrics.StepEnded(topic, word, Stopwatch.GetElapsedTime(started));
        }
    }

    private async Task ReportAsync(
        StepOutcome outcome, PubSubPush? push, string topic, string messageId, CancellationToken cancellationToken)
    {
        switch (outcome)
        {
            case StepOutcome.Done done:
                LogDone(topic, messageId, done.What);
                break;
            case StepOutcome.AlreadyDone already:
                LogAlreadyDone(topic, messageId, already.Why);
                break;
            case StepOutcome.Skipped skipped:
                LogSkipped(topic, messageId, skipped.Reason);
                break;
            case StepOutcome.Rejected rejected:
                await KeepAsync(push, topic, rejected.Reason, cancellationToken);
                PipelineMetrics.MessageRejected(topic);
                LogRejected(topic, messageId, rejected.Reason);
                break;
            default:
                throw new InvalidOperationException($"unknown outcome {outcome}");
        }
    }

    private static (T? Message, string Reason) Decode<T>(PubSubPush? push, string topic, JsonTypeInfo<T> type)
    {
        if (push?.Message is not { } message)
        {
            return (default, "the push has no message");
        }

        if (message.Attributes?.GetValueOrDefault(Topics.Attribute) is { } sent && sent != topic)
        {
            return (default, $"the message belongs to topic {sent}, not to {topic}: check the subscription");
        }

        try
        {
            return JsonSerializer.Deserialize(message.Data ?? [], type) is { } decoded
                ? (decoded, "")
                : (default, "the message is null");
        }
        catch (JsonException e)
        {
            return (default, $"the message is not {typeof(T).Name}: {e.Message}");
        }
    }

    // Acknowledged, because a repeat cannot help, and kept, so that a person can see it.
    private async Task KeepAsync(PubSubPush? push, string topic, string reason, CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.rejected_messages (topic, message_id, reason, body, received_at)
            values (@topic, @messageId, @reason, @body, clock_timestamp())
            on conflict (topic, message_id) do update
            set    deliveries = ml.rejected_messages.deliveries + 1
            """;

        var text = Encoding.UTF8.GetString(push?.Message?.Data ?? []).Replace("\0", "\\u0000", StringComparison.Ordinal);
        var args = new
        {
            topic,
            messageId = push?.Message?.MessageId ?? "none",
            reason,
            body = text.Length > LongestKeptBody ? text[..LongestKeptBody] : text,
        };
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Message {MessageId} on {Topic}: {What}")]
    private partial void LogDone(string topic, string messageId, string what);

    [LoggerMessage(Level = LogLevel.Information, Message = "Message {MessageId} on {Topic}: nothing to do, {Why}")]
    private partial void LogAlreadyDone(string topic, string messageId, string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Message {MessageId} on {Topic}: skipped, {Reason}")]
    private partial void LogSkipped(string topic, string messageId, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Message {MessageId} on {Topic}: rejected and kept, {Reason}")]
    private partial void LogRejected(string topic, string messageId, string reason);
}
