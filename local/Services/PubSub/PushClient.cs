using System.Net;
using System.Net.Http.Headers;
using Google.Cloud.PubSub.V1;
using Microsoft.Extensions.Logging;

namespace FeedbackLoop.Local.PubSub;

/// <summary>Sends one push request and says whether the receiver acknowledged the message.</summary>
internal sealed partial class PushClient(PubSubOptions options, PubSubTally tally) : IDisposable
{
    private readonly ILogger _logger = options.Loggers.CreateLogger<PushClient>();

    // Redirects are not followed: the service counts them as refusals.
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public async Task<bool> IsAcknowledgedAsync(
        Subscription subscription, PubsubMessage message, int attempt, CancellationToken cancellationToken)
    {
        var body = PushBody.Write(message, subscription.Name, subscription.DeadLetterPolicy is null ? null : attempt);
        using var request = new HttpRequestMessage(HttpMethod.Post, subscription.PushConfig.PushEndpoint);
        request.Content = new ReadOnlyMemoryContent(body);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.TryAddWithoutValidation("User-Agent", "CloudPubSub-Google");
        if (subscription.PushConfig.OidcToken is { } identity)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", SignPush(identity, request.RequestUri!));
        }

        var deadline = TimeSpan.FromSeconds(subscription.AckDeadlineSeconds) * options.AckDeadlineScale;
        using var timeout = new CancellationTokenSource(deadline, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        tally.Pushed();
        try
        {
            using var response = await _http.SendAsync(
                request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            if (IsAcknowledgement(response.StatusCode))
            {
                return true;
            }

            LogRefused(message.MessageId, subscription.Name, attempt, (int)response.StatusCode);
            return false;
        }
        catch (HttpRequestException e)
        {
            LogUnreachable(e, message.MessageId, subscription.Name, attempt);
            return false;
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            tally.TimedOut();
            LogTimedOut(message.MessageId, subscription.Name, attempt, deadline);
            return false;
        }
    }

    public void Dispose() => _http.Dispose();

    // A subscription that wants a token is not made without somebody to sign it.
    private string SignPush(PushConfig.Types.OidcToken identity, Uri endpoint) => options.SignPush!(
        identity.ServiceAccountEmail,
        identity.Audience.Length > 0 ? identity.Audience : endpoint.OriginalString);

    internal static bool IsAcknowledgement(HttpStatusCode status) => (int)status is 102 or 200 or 201 or 202 or 204;

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Message {MessageId} of {Subscription} was refused with {Status}, attempt {Attempt}")]
    private partial void LogRefused(string messageId, string subscription, int attempt, int status);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Message {MessageId} of {Subscription} found nobody listening, attempt {Attempt}")]
    private partial void LogUnreachable(Exception exception, string messageId, string subscription, int attempt);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Message {MessageId} of {Subscription} was not answered within {Deadline}, attempt {Attempt}")]
    private partial void LogTimedOut(string messageId, string subscription, int attempt, TimeSpan deadline);
}
