using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Microsoft.Net.Http.Headers;

namespace FeedbackLoop.Access;

/// <summary>
/// Lets only pushes of the function's own Pub/Sub subscriptions through: 401 before the body is read and before any service of
/// the function is made. 503 when Google's keys cannot be had; both are delivered again.
/// </summary>
/// <remarks>
/// Source of the checks: cloud.google.com, Pub/Sub, authenticate-push-subscriptions. Signature and audience alone would take a
/// token of anybody's service account, so the account's e-mail is part of it.
/// </remarks>
internal sealed partial class PushAccess : IMiddleware, IDisposable
{
    // Cloud Run's own check of a token takes its signature away (Cloud Run, troubleshooting, "signature removed").
    private const string RemovedSignature = ".SIGNATURE_REMOVED_BY_GOOGLE";
    private const string Scheme = "Bearer ";
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(60);

    private readonly IssuerKeys _keys;
    private readonly TokenCheck _check;
    private readonly ILogger<PushAccess> _logger;

    public PushAccess(IOptions<PushOptions> options, TimeProvider time, ILogger<PushAccess> logger)
    {
        var push = options.Value;
        _logger = logger;
        _keys = new IssuerKeys(push.Issuer, push.MetadataAddress, push.AllowHttp, time);
        _check = new TokenCheck(
            new(push.Issuer, push.Audience, [SecurityAlgorithms.RsaSha256], ClockSkew, token => WhyNot(token, push)),
            _keys, time);
    }

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        switch (await CheckAsync(context.Request, context.RequestAborted))
        {
            case TokenOutcome.Accepted:
                await next(context);
                break;
            case TokenOutcome.Refused refused:
                LogRefused(refused.Reason);
                context.Response.StatusCode = StatusCodes.Status401Unauthorized;
                context.Response.Headers.WWWAuthenticate = "Bearer";
                break;
            case TokenOutcome.Unavailable unavailable:
                LogUnavailable(unavailable.Cause);
                context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                break;
            case var outcome:
                throw new InvalidOperationException($"unknown outcome {outcome}");
        }
    }

    public void Dispose() => _keys.Dispose();

    private async Task<TokenOutcome> CheckAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.Headers[HeaderNames.Authorization] is not [{ } header]
            || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return new TokenOutcome.Refused("no token");
        }

        return header.EndsWith(RemovedSignature, StringComparison.Ordinal)
            ? new TokenOutcome.Refused(
                "Cloud Run removed the signature: switch its own check of callers off for this service, and let only "
                + "internal traffic in")
            : await _check.CheckAsync(header[Scheme.Length..].Trim(), cancellationToken);
    }

    private static string? WhyNot(JsonWebToken token, PushOptions push) =>
        !token.TryGetPayloadValue<string>(JwtRegisteredClaimNames.Email, out var email) || email != push.ServiceAccount
            ? "service account"
        : !token.TryGetPayloadValue<bool>(JwtRegisteredClaimNames.EmailVerified, out var isVerified) || !isVerified
            ? "unverified account"
        : token.Audiences.Count() != 1 ? "several audiences"
        : null;

    [LoggerMessage(Level = LogLevel.Warning, Message = "A push was refused: {Reason}")]
    private partial void LogRefused(string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "No push can be taken: the keys of its issuer cannot be had")]
    private partial void LogUnavailable(Exception exception);
}
