using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Google.Cloud.Functions.Framework;

/// <summary>
/// An HTTP request to a typed function and back: 400 for a request that cannot be read, 500 for a response that cannot
/// be written.
/// </summary>
public sealed partial class TypedFunctionAdapter<TRequest, TResult>(
    ITypedFunction<TRequest, TResult> function,
    IHttpRequestReader<TRequest> requestReader,
    IHttpResponseWriter<TResult> responseWriter,
    ILogger<TypedFunctionAdapter<TRequest, TResult>> logger) : IHttpFunction
{
    public async Task HandleAsync(HttpContext context)
    {
        TRequest request;
        try
        {
            request = await requestReader.ReadRequestAsync(context.Request);
        }
        // A reader may throw anything over a body it cannot read, and each of those is the sender's trouble.
        catch (Exception e)
        {
            LogFailed(e, e.Message);
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        var result = await function.HandleAsync(request, context.RequestAborted);
        try
        {
            await responseWriter.WriteResponseAsync(context.Response, result);
        }
        // Once bytes are out the status is as well; then only a broken connection tells the client.
        catch (Exception e) when (!context.Response.HasStarted)
        {
            LogFailed(e, e.Message);
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Reason}")]
    private partial void LogFailed(Exception exception, string reason);
}
