using Microsoft.AspNetCore.Http;

namespace Google.Cloud.Functions.Framework;

/// <summary>A function that answers HTTP requests of any method and path; a new instance for each.</summary>
public interface IHttpFunction
{
    /// <summary>An exception that escapes becomes 500 with an empty body.</summary>
    Task HandleAsync(HttpContext context);
}
