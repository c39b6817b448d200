using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace FeedbackLoop.Access;

/// <summary>People's tokens, for ASP.NET Core's bearer authentication.</summary>
internal sealed partial class AccessTokens : TokenHandler, IDisposable
{
    private readonly IssuerKeys _keys;
    private readonly TokenCheck _check;
    private readonly ILogger<AccessTokens> _logger;

    public AccessTokens(IOptions<AccessOptions> options, TimeProvider time, ILogger<AccessTokens> logger)
    {
        var access = options.Value;
        _logger = logger;
        _keys = new IssuerKeys(access.Authority, access.MetadataAddress, access.AllowHttp, time);
        _check = new TokenCheck(
            new(access.Authority, access.Audience, access.AcceptedAlgorithms, access.ClockSkew, WhyNot), _keys, time);
    }

    /// <param name="validationParameters">Not used: the rules are ours alone.</param>
    public override async Task<TokenValidationResult> ValidateTokenAsync(
        string token, TokenValidationParameters validationParameters)
    {
        // The base class has no token to pass on; the lookup of keys ends by its own time-out.
        switch (await _check.CheckAsync(token, CancellationToken.None))
        {
            case TokenOutcome.Accepted accepted:
                return new()
                {
                    IsValid = true,
                    SecurityToken = accepted.Token,
                    ClaimsIdentity = accepted.Identity,
                };
            case TokenOutcome.Refused refused:
                LogRefused(refused.Reason);
                return new() { Exception = new SecurityTokenValidationException(refused.Reason) };
            case TokenOutcome.Unavailable unavailable:
                LogUnavailable(unavailable.Cause);
                return new() { Exception = unavailable.Cause };
            case var outcome:
                throw new InvalidOperationException($"unknown outcome {outcome}");
        }
    }

    public void Dispose() => _keys.Dispose();

    private static string? WhyNot(JsonWebToken token) => string.IsNullOrEmpty(token.Subject) ? "no subject" : null;

    [LoggerMessage(Level = LogLevel.Information, Message = "A bearer token was refused: {Reason}")]
    private partial void LogRefused(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Nobody can be let in: the issuer's keys cannot be had")]
    private partial void LogUnavailable(Exception exception);
}
