using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FeedbackLoop.Runs;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.AdminApi.Problems;

/// <summary>Everything that goes wrong becomes a problem with a type and a trace id, and nothing of the inside.</summary>
internal static class ProblemServices
{
    public static void AddProblems(this IServiceCollection services)
    {
        services.AddProblemDetails();
        services.AddOptions<ProblemDetailsOptions>().Configure<IOptions<AdminApiOptions>>(
            (problems, options) => problems.CustomizeProblemDetails = context => Complete(context, options.Value));
        services.AddExceptionHandler<ExceptionProblems>();

        // Bodies that cannot be read come to ExceptionProblems, which can name the field.
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
    }

    private static void Complete(ProblemDetailsContext context, AdminApiOptions options)
    {
        var problem = context.ProblemDetails;
        problem.Extensions["traceId"] = Activity.Current?.TraceId.ToString() ?? context.HttpContext.TraceIdentifier;
        if (problem.Type?.StartsWith("urn:", StringComparison.Ordinal) == true)
        {
            return;
        }

        // A bare status, from the pipeline rather than from a handler.
        (problem.Type, problem.Title, problem.Detail) = problem.Status switch
        {
            StatusCodes.Status401Unauthorized => (
                ProblemTypes.Unauthenticated, "Not signed in",
                "Send a valid token of this installation's issuer as 'Authorization: Bearer …'."),
            StatusCodes.Status404NotFound => (
                ProblemTypes.NotFound, "No such route",
                $"There is no {context.HttpContext.Request.Method} {context.HttpContext.Request.Path}."),
            StatusCodes.Status405MethodNotAllowed => (
                ProblemTypes.Http, "Method not allowed",
                $"This route takes {context.HttpContext.Response.Headers.Allow}, not {context.HttpContext.Request.Method}."),
            StatusCodes.Status413PayloadTooLarge => (
                ProblemTypes.Http, "Body too large", $"Send at most {options.MaxBodyBytes} bytes."),
            StatusCodes.Status415UnsupportedMediaType => (
                ProblemTypes.Http, "Not JSON", "Send the body with 'Content-Type: application/json'."),
            StatusCodes.Status429TooManyRequests => (
                ProblemTypes.RateLimit, "Too many requests",
                $"Wait {context.HttpContext.Response.Headers.RetryAfter} seconds, then send it again."),
            StatusCodes.Status503ServiceUnavailable => (
                ProblemTypes.Unavailable, "Not available", "The token issuer cannot be reached. Send it again later."),
            StatusCodes.Status500InternalServerError => (
                ProblemTypes.Internal, "Something went wrong here",
                "It was logged under this trace id; give it to whoever operates the installation."),
            _ => (ProblemTypes.Http, problem.Title, problem.Detail),
        };
    }
}

/// <summary>Exceptions to problems. What has no better word is a 500 and is logged once, by the middleware around this.</summary>
internal sealed partial class ExceptionProblems(ILogger<ExceptionProblems> logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(
        HttpContext context, Exception exception, CancellationToken cancellationToken)
    {
        switch (exception)
        {
            case BadHttpRequestException { StatusCode: StatusCodes.Status400BadRequest } bad:
                await FromBadRequest(bad).ExecuteAsync(context);
                return true;
            case BadHttpRequestException other:
                // The status pages find the words.
                context.Response.StatusCode = other.StatusCode;
                return true;
            case NpgsqlException { IsTransient: true } or TimeoutException:
                LogUnavailable(exception);
                context.Response.Headers.RetryAfter = "5";
                await Problem.Of(
                    StatusCodes.Status503ServiceUnavailable, ProblemTypes.Unavailable, "Not available",
                    "The database cannot be reached. Send it again later.").ExecuteAsync(context);
                return true;
            case OperationCanceledException when context.RequestAborted.IsCancellationRequested:
                return true;
            default:
                return false;
        }
    }

    private static ProblemHttpResult FromBadRequest(BadHttpRequestException bad) => Problem.Invalid(
        [bad.InnerException is JsonException json ? FromJson(json) : new FieldError("request", Words(bad.Message))]);

    private static FieldError FromJson(JsonException json)
    {
        var field = json.Path is { Length: > 2 } path ? path[2..] : "body";
        var line = (json.LineNumber ?? 0) + 1;
        return new FieldError(
            field,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{field} cannot be read (line {line}): unknown, missing or repeated member, or a value of the wrong type"));
    }

    // Such as: Failed to bind parameter "Guid projectId" from "abc". It names parameter and value, and no type of ours.
    private static string Words(string message) => message.Length > 300 ? message[..300] : message;

    [LoggerMessage(Level = LogLevel.Error, Message = "The database cannot be reached")]
    private partial void LogUnavailable(Exception exception);
}
