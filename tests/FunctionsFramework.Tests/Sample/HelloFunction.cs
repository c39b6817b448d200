using Google.Cloud.Functions.Framework;
using Microsoft.AspNetCore.Http;

namespace Sample;

public sealed class HelloFunction : IHttpFunction
{
    public Task HandleAsync(HttpContext context) =>
        context.Response.WriteAsync($"hello {context.Request.Path}", context.RequestAborted);
}
