using System.Security.Cryptography;
using FeedbackLoop.Access;
using FeedbackLoop.AdminApi.Problems;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace FeedbackLoop.AdminApi.Ui;

/// <summary>
/// The built admin UI: its files, and its first page for every address that the router in the browser knows. Without a built
/// UI, and for everything that a route of the API takes, the request goes on.
/// </summary>
internal sealed class UiPages : IDisposable
{
    private const string FirstPage = "/index.html";

    /// <summary>Where the build puts files whose names change with their content.</summary>
    private const string HashedFiles = "/assets/";

    /// <summary>Stands in the first page where the nonce of an answer goes.</summary>
    private const string NoncePlace = "__CSP_NONCE__";

    private readonly RequestDelegate _next;
    private readonly PhysicalFileProvider? _files;
    private readonly FileExtensionContentTypeProvider _types = new();
    private readonly string _issuer;

    public UiPages(
        RequestDelegate next, IWebHostEnvironment environment, IOptions<AdminApiOptions> options,
        IOptions<AccessOptions> access)
    {
        _next = next;
        var directory = Path.Combine(environment.ContentRootPath, options.Value.UiDirectory);
        _files = Directory.Exists(directory) ? new PhysicalFileProvider(directory) : null;
        _issuer = new Uri(access.Value.Authority).GetLeftPart(UriPartial.Authority);
    }

    public void Dispose() => _files?.Dispose();

    public Task InvokeAsync(HttpContext context) => Find(context) switch
    {
        null => _next(context),
        { Name: "index.html" } page => WriteFirstPageAsync(context, page),
        var file => WriteFileAsync(context, file),
    };

    private IFileInfo? Find(HttpContext context)
    {
        var request = context.Request;
        if (_files is null || request.PathBase.HasValue || context.GetEndpoint() is not null
            || !(HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)))
        {
            return null;
        }

        return _files.GetFileInfo(request.Path.Value!) is { Exists: true, IsDirectory: false } file // "/" at least
            ? file
            : WantsPage(request) && _files.GetFileInfo(FirstPage) is { Exists: true } page ? page : null;
    }

    private static bool WantsPage(HttpRequest request) =>
        !request.Path.StartsWithSegments("/api")
        && request.GetTypedHeaders().Accept.Any(accepted => accepted.MediaType == "text/html");

    private async Task WriteFirstPageAsync(HttpContext context, IFileInfo page)
    {
        var nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        context.Features.Set(new PageHeaders("no-store", Policy(nonce)));
        using var reader = new StreamReader(page.CreateReadStream());
        var html = await reader.ReadToEndAsync(context.RequestAborted);
        context.Response.ContentType = "text/html; charset=utf-8";
        if (HttpMethods.IsGet(context.Request.Method))
        {
            await context.Response.WriteAsync(
                html.Replace(NoncePlace, nonce, StringComparison.Ordinal), context.RequestAborted);
        }
    }

    private async Task WriteFileAsync(HttpContext context, IFileInfo file)
    {
        var path = context.Request.Path.Value!; // the file was found by it
        context.Features.Set(new PageHeaders(
            path.StartsWith(HashedFiles, StringComparison.Ordinal) ? "public, max-age=31536000, immutable" : "no-cache",
            "default-src 'none'; frame-ancestors 'none'"));
        context.Response.ContentType =
            _types.TryGetContentType(path, out var type) ? type : "application/octet-stream";

        // Compressed by the build: a function pays for its processor by the request.
        if (_files!.GetFileInfo(path + ".br") is { Exists: true } compressed)
        {
            context.Response.Headers.Vary = HeaderNames.AcceptEncoding;
            if (context.Request.GetTypedHeaders().AcceptEncoding.Any(each => each.Value == "br"))
            {
                context.Response.Headers.ContentEncoding = "br";
                file = compressed;
            }
        }

        context.Response.ContentLength = file.Length;
        if (HttpMethods.IsGet(context.Request.Method))
        {
            await context.Response.SendFileAsync(file, context.RequestAborted);
        }
    }

    // The component library writes style elements, each with the nonce; a style attribute is written by no part of the page.
    private string Policy(string nonce) =>
        $"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; "
        + $"connect-src 'self' {_issuer}; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";
}
