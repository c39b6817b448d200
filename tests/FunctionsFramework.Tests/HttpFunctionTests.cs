using System.Collections.Concurrent;
using System.Net;
using Google.Cloud.Functions.Framework;
using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FunctionsFramework.Tests;

public sealed class HttpFunctionTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET", "/")]
    [InlineData("POST", "/a/b%20c")]
    [InlineData("DELETE", "/robots.txts")]
    public async Task Every_method_and_path_reaches_the_function(string method, string path)
    {
        await using var host = await FunctionHost.StartAsync<EchoFunction>();

        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(path, UriKind.Relative));
        using var response = await host.Client.SendAsync(request, Token);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal($"{method} {path}", await response.Content.ReadAsStringAsync(Token));
    }

    [Theory]
    [InlineData("/robots.txt")]
    [InlineData("/favicon.ico")]
    public async Task What_crawlers_and_browsers_ask_for_is_not_found(string path)
    {
        await using var host = await FunctionHost.StartAsync<EchoFunction>();

        using var response = await host.GetAsync(path);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsStringAsync(Token));
    }

    [Fact]
    public async Task An_exception_is_500_with_an_empty_body_and_stands_in_the_log()
    {
        await using var host = await FunctionHost.StartAsync<FailingFunction>();

        using var response = await host.GetAsync("/");

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsStringAsync(Token));
        Assert.Contains(host.Logs.At(LogLevel.Error), line => line.Exception?.Message == "broken on purpose");
    }

    [Fact]
    public async Task Each_request_gets_a_function_of_its_own_from_its_own_scope()
    {
        var scopes = new ScopeStartup();
        await using var host = await FunctionHost.StartAsync<ScopeFunction>(scopes);

        (await host.GetAsync("/")).Dispose();
        (await host.GetAsync("/")).Dispose();

        Assert.Equal(2, scopes.Functions.Distinct().Count());
        Assert.Equal(2, scopes.Resources.Distinct().Count());
        Assert.All(scopes.Resources, resource => Assert.True(resource.IsDisposed));
    }

    [Fact]
    public async Task Two_functions_live_in_one_process_each_on_its_own_port()
    {
        await using var echo = await FunctionHost.StartAsync<EchoFunction>();
        await using var orders = await FunctionHost.StartAsync<OrderFunction>();

        using var answer = await echo.GetAsync("/first");
        using var delivered = await orders.PostAsync(
            "/", """{"item":"tea","count":2}""", "application/json", CloudEventTests.Headers());

        Assert.NotEqual(echo.Client.BaseAddress, orders.Client.BaseAddress);
        Assert.Equal("GET /first", await answer.Content.ReadAsStringAsync(Token));
        Assert.Equal(new Order("tea", 2), orders.Inbox.Only.Data);
        Assert.Empty(echo.Inbox.Events);
    }

    private sealed class ScopeFunction(ScopeStartup log, Resource resource) : IHttpFunction
    {
        public Task HandleAsync(HttpContext context)
        {
            log.Functions.Enqueue(this);
            log.Resources.Enqueue(resource);
            return Task.CompletedTask;
        }
    }

    private sealed class Resource : IDisposable
    {
        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }

    private sealed class ScopeStartup : FunctionsStartup
    {
        public ConcurrentQueue<IHttpFunction> Functions { get; } = [];

        public ConcurrentQueue<Resource> Resources { get; } = [];

        public override void ConfigureServices(WebHostBuilderContext context, IServiceCollection services) =>
            services.AddSingleton(this).AddScoped<Resource>();
    }
}
