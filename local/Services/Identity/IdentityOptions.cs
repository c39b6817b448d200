using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FeedbackLoop.Local.Identity;

/// <summary>Somebody who can log in here.</summary>
/// <param name="Subject">Becomes <c>sub</c>.</param>
/// <param name="Roles">What the page says about them; no token carries it.</param>
public sealed record IdentityPerson(string Subject, string Name, string Roles);

/// <summary>Settings of <see cref="IdentityServer"/>.</summary>
public sealed class IdentityOptions
{
    /// <summary>0 takes the port of the last start, if <see cref="StateFile"/> knows one that is free, else any.</summary>
    public int Port { get; init; }

    /// <summary>Keeps keys and port, so that tokens survive a restart; null forgets them.</summary>
    public string? StateFile { get; init; }

    /// <summary>The <c>iss</c> of its tokens; null for the server's own address.</summary>
    public string? Issuer { get; init; }

    /// <summary>
    /// Who can log in, asked at each request. Null makes Google's accounts of it: nobody logs in, and tokens of service accounts
    /// are to be had by <c>generateIdToken</c>.
    /// </summary>
    public Func<CancellationToken, Task<IReadOnlyList<IdentityPerson>>>? People { get; init; }

    /// <summary>The <c>aud</c> of access tokens.</summary>
    public string Audience { get; init; } = "feedback-loop-api";

    /// <summary>The one client that may ask for a login; it has no secret.</summary>
    public string ClientId { get; init; } = "admin-ui";

    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromHours(1);

    public TimeSpan CodeLifetime { get; init; } = TimeSpan.FromSeconds(60);

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILoggerFactory Loggers { get; init; } = NullLoggerFactory.Instance;
}
