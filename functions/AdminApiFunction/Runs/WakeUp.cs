using FeedbackLoop.Runs;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace FeedbackLoop.AdminApi.Runs;

/// <summary>
/// Hands committed messages to Pub/Sub before the answer goes out. What does not go out soon waits for the five-minute sweep:
/// the work is accepted either way.
/// </summary>
internal sealed partial class WakeUp(OutboxRelay outbox, ILogger<WakeUp> logger)
{
    private const int MessagesAtOnce = 10;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public async Task SendAsync(NpgsqlConnection db, CancellationToken cancellationToken)
    {
        try
        {
            await outbox.SendPendingAsync(db, MessagesAtOnce, Patience, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            LogWaiting(e);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Messages wait in the outbox for the next sweep")]
    private partial void LogWaiting(Exception exception);
}
