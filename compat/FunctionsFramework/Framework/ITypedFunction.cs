using Microsoft.AspNetCore.Http;

namespace Google.Cloud.Functions.Framework;

/// <summary>A function from the body of an HTTP request to the body of its response; a new instance for each.</summary>
public interface ITypedFunction<TRequest, TResponse>
{
    /// <summary>An exception becomes 500 with an empty body. The token ends with the request.</summary>
    Task<TResponse> HandleAsync(TRequest request, CancellationToken cancellationToken);
}

/// <summary>Decodes the request of a typed function. Default: JSON, by reflection.</summary>
public interface IHttpRequestReader<TRequest>
{
    /// <summary>An exception becomes 400, and the function is not called.</summary>
    Task<TRequest> ReadRequestAsync(HttpRequest httpRequest);
}

/// <summary>Encodes the response of a typed function. Default: JSON, by reflection.</summary>
public interface IHttpResponseWriter<TResponse>
{
    Task WriteResponseAsync(HttpResponse httpResponse, TResponse functionResponse);
}
