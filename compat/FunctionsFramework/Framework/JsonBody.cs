using System.Net.Mime;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Google.Cloud.Functions.Framework;

/// <summary>The default reader of typed functions; <c>null</c> is no request.</summary>
internal sealed class JsonRequestReader<TRequest> : IHttpRequestReader<TRequest>
{
    public async Task<TRequest> ReadRequestAsync(HttpRequest httpRequest) =>
        await JsonSerializer.DeserializeAsync<TRequest>(
            httpRequest.Body, cancellationToken: httpRequest.HttpContext.RequestAborted)
        ?? throw new InvalidDataException("The request's body is null.");
}

/// <summary>The default writer of typed functions.</summary>
internal sealed class JsonResponseWriter<TResponse> : IHttpResponseWriter<TResponse>
{
    public Task WriteResponseAsync(HttpResponse httpResponse, TResponse functionResponse)
    {
        httpResponse.ContentType = MediaTypeNames.Application.Json;
        return JsonSerializer.SerializeAsync(
            httpResponse.Body, functionResponse, cancellationToken: httpResponse.HttpContext.RequestAborted);
    }
}
