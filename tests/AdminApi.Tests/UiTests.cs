using System.Net;
using System.Text.Json.Nodes;
using FeedbackLoop.Local;

namespace FeedbackLoop.AdminApi.Tests;

/// <summary>The pages beside the API: what is served, with which headers, and what stays the API's.</summary>
public sealed class UiTests(ApiWorld world) : IAsyncLifetime
{
    private const string Page = "text/html,application/xhtml+xml,*/*;q=0.8";
    private const string Project = "/projects/7f4e0000-0000-0000-0000-000000000000/settings/ai-training";

    private readonly DirectoryInfo _files = Directory.CreateTempSubdirectory("admin-ui-");
    private readonly HttpClient _http = new();
    private FunctionHost _api = null!; // set before each test

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await WriteAsync("index.html", "<meta content=\"__CSP_NONCE__\">");
        await WriteAsync("favicon.svg", "<svg/>");
        await WriteAsync("assets/app-1a2b3c.js", "let plain");
        await WriteAsync("assets/app-1a2b3c.js.br", "compressed");
        _api = await world.StartApiAsync(new Dictionary<string, string?> { ["AdminApi:UiDirectory"] = _files.FullName });
    }

    public async ValueTask DisposeAsync()
    {
        await _api.DisposeAsync();
        _http.Dispose();
        _files.Delete(recursive: true);
    }

    [Theory]
    [InlineData("/")]
    [InlineData(Project)]
    [InlineData("/signed-in?code=1&state=2")]
    public async Task Every_address_of_the_pages_gets_the_first_page_with_a_nonce_of_its_own(string path)
    {
        using var first = await GetAsync(path, Page);
        using var second = await GetAsync(path, Page);

        var html = await first.Content.ReadAsStringAsync(Cancellation);
        var policy = first.Headers.GetValues("Content-Security-Policy").Single();
        var nonce = html.Split('"')[1];
        Assert.Equal("text/html", first.Content.Headers.ContentType?.MediaType);
        Assert.True(first.Headers.CacheControl?.NoStore);
        Assert.Contains($"style-src 'self' 'nonce-{nonce}';", policy, StringComparison.Ordinal);
        Assert.Contains("script-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains($"connect-src 'self' {world.Issuer.Issuer};", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.NotEqual(html, await second.Content.ReadAsStringAsync(Cancellation));
    }

    [Fact]
    public async Task Files_with_a_hash_in_their_name_are_kept_for_good_and_sent_compressed_to_whoever_takes_it()
    {
        using var plain = await GetAsync("/assets/app-1a2b3c.js", "*/*");
        using var compressed = await GetAsync("/assets/app-1a2b3c.js", "*/*", "gzip, br");
        using var icon = await GetAsync("/favicon.svg", "*/*");

        Assert.Equal("let plain", await plain.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal("public, max-age=31536000, immutable", plain.Headers.CacheControl?.ToString());
        Assert.Equal("text/javascript", plain.Content.Headers.ContentType?.MediaType);
        Assert.Equal("compressed", await compressed.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal(["br"], compressed.Content.Headers.ContentEncoding);
        Assert.Equal(["Accept-Encoding"], compressed.Headers.Vary);
        Assert.True(icon.Headers.CacheControl?.NoCache);
    }

    [Theory]
    [InlineData("/healthz", Page, HttpStatusCode.OK)]
    [InlineData("/me", Page, HttpStatusCode.Unauthorized)]
    [InlineData("/api/healthz", Page, HttpStatusCode.OK)]
    [InlineData("/api" + Project, Page, HttpStatusCode.Unauthorized)]
    [InlineData(Project, "application/json", HttpStatusCode.Unauthorized)]
    [InlineData("/assets/gone.js", "*/*", HttpStatusCode.Unauthorized)]
    [InlineData("/assets/..%2f..%2fetc%2fpasswd", "*/*", HttpStatusCode.Unauthorized)]
    [InlineData("/fine-tuning/train-project", Page, HttpStatusCode.Unauthorized)]
    public async Task What_belongs_to_the_api_stays_its_own_with_its_own_headers(
        string path, string accept, HttpStatusCode expected)
    {
        using var response = await GetAsync(path, accept);

        Assert.Equal(expected, response.StatusCode);
        Assert.NotEqual("text/html", response.Content.Headers.ContentType?.MediaType);
        Assert.StartsWith(
            "default-src 'none'; frame-ancestors 'none'", response.Headers.GetValues("Content-Security-Policy").Single(),
            StringComparison.Ordinal);
        Assert.True(response.Headers.CacheControl?.NoStore);
    }

    [Fact]
    public async Task Without_a_built_ui_there_is_only_the_api()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(world.Api.Address, Project));
        request.Headers.TryAddWithoutValidation("Accept", Page);
        using var response = await _http.SendAsync(request, Cancellation);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task A_browser_learns_how_to_sign_people_in()
    {
        using var response = await world.SendAsync("GET", "/ui-settings", People.Anonymous);

        var settings = JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!;
        Assert.Equal(world.Issuer.Issuer, (string?)settings["authority"]);
        Assert.Equal("admin-ui", (string?)settings["clientId"]);
        Assert.Equal("openid profile offline_access", (string?)settings["scope"]);
    }

    private async Task<HttpResponseMessage> GetAsync(string path, string accept, string? encoding = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_api.Address, path));
        request.Headers.TryAddWithoutValidation("Accept", accept);
        if (encoding is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept-Encoding", encoding);
        }

        return await _http.SendAsync(request, Cancellation);
    }

    private async Task WriteAsync(string name, string content)
    {
        var path = Path.Combine(_files.FullName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllTextAsync(path, content, Cancellation);
    }
}
