using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;

namespace FeedbackLoop.Access;

/// <summary>Registers who may call the admin API.</summary>
public static class AccessServices
{
    /// <summary>
    /// Bearer authentication by <see cref="AccessOptions"/>. A bad token is 401; 503 when the issuer's keys cannot be had, because
    /// then nothing is known about the token. The database is not asked: look up the <see cref="Person"/> of
    /// <see cref="Subject"/> afterwards, at each request, because roles change while a token lives.
    /// </summary>
    /// <remarks>
    /// Not <c>AddAuthentication().AddJwtBearer()</c>: that brings data protection, which writes keys to disk at each start, and a
    /// configuration section that could loosen these rules.
    /// </remarks>
    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        services.AddOptions<AccessOptions>().BindConfiguration(AccessOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<AccessOptions>, AccessOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<AccessTokens>();

        services.AddWebEncoders();
        services.AddTransient<JwtBearerHandler>();
        services.AddAuthenticationCore(authentication =>
        {
            authentication.DefaultScheme = JwtBearerDefaults.AuthenticationScheme;
            authentication.AddScheme<JwtBearerHandler>(JwtBearerDefaults.AuthenticationScheme, displayName: null);
        });
        services.AddOptions<JwtBearerOptions>(JwtBearerDefaults.AuthenticationScheme)
            .Configure<AccessTokens, TimeProvider>((bearer, tokens, time) =>
            {
                bearer.TimeProvider = time;
                bearer.MapInboundClaims = false;
                bearer.SaveToken = false;
                bearer.IncludeErrorDetails = false;
                bearer.TokenHandlers.Clear();
                bearer.TokenHandlers.Add(tokens);
                bearer.Events = new JwtBearerEvents { OnChallenge = TellTroubleFromRefusal };
            });
        return services;
    }

    /// <summary>The <c>sub</c> of the caller's token.</summary>
    /// <exception cref="InvalidOperationException">The caller was not authenticated.</exception>
    public static string Subject(this ClaimsPrincipal caller) =>
        caller.FindFirstValue(JwtRegisteredClaimNames.Sub)
        ?? throw new InvalidOperationException("the caller is not authenticated");

    private static Task TellTroubleFromRefusal(JwtBearerChallengeContext context)
    {
        if (context.AuthenticateFailure is IssuerUnavailableException)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            context.Response.Headers.RetryAfter = "5";
            context.HandleResponse();
        }

        return Task.CompletedTask;
    }
}
