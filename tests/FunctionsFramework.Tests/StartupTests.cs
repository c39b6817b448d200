using FunctionsFramework.Tests;
using Google.Cloud.Functions.Framework;
using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

[assembly: FunctionsStartup(typeof(StartupTests.MiddleStartup), Order = 5)]

namespace FunctionsFramework.Tests;

public sealed class StartupTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Startups_of_assembly_and_type_run_by_order_and_then_by_full_name()
    {
        var types = FunctionsStartupAttribute.GetStartupTypes(typeof(TrailFunction).Assembly, typeof(TrailFunction));

        Assert.Equal(
            [typeof(ZFirstStartup), typeof(AStartup), typeof(BStartup), typeof(MiddleStartup), typeof(LastStartup)],
            types);
    }

    [Fact]
    public void Without_a_type_only_the_assembly_counts()
    {
        var types = FunctionsStartupAttribute.GetStartupTypes(typeof(TrailFunction).Assembly, target: null);

        Assert.Equal([typeof(MiddleStartup)], types);
    }

    [Fact]
    public async Task Every_hook_runs_in_the_order_of_the_startups()
    {
        await using var host = await FunctionHost.StartAsync<TrailFunction>();

        using var response = await host.GetAsync("/");

        Assert.Equal(
            """
            configuration: Z A B Middle Last
            logging: Z A B Middle Last
            services: Z A B Middle Last
            middleware: Z A B Middle Last
            """,
            await response.Content.ReadAsStringAsync(Token));
    }

    [Fact]
    public async Task Middleware_may_answer_before_the_function()
    {
        await using var host = await FunctionHost.StartAsync<EchoFunction>(new GateStartup());

        using var stopped = await host.GetAsync("/robots.txt?gate=closed");
        using var passed = await host.GetAsync("/open");

        Assert.Equal("stopped at the gate", await stopped.Content.ReadAsStringAsync(Token));
        Assert.Equal("GET /open", await passed.Content.ReadAsStringAsync(Token));
    }

    [Fact]
    public async Task Configuration_of_a_startup_wins_over_the_command_line()
    {
        await using var host = await FunctionHost.StartAsync<GreetingFunction>(
            new GreetingStartup(), "--Greeting:Word=command line", "--Greeting:Other=command line");

        using var response = await host.GetAsync("/");

        Assert.Equal("startup, command line", await response.Content.ReadAsStringAsync(Token));
    }

    [Fact]
    public async Task A_startup_of_a_base_class_counts()
    {
        await using var host = await FunctionHost.StartAsync<DerivedFunction>("--Greeting:Other=nobody");

        using var response = await host.GetAsync("/");

        Assert.Equal("startup, nobody", await response.Content.ReadAsStringAsync(Token));
    }

    internal sealed class ZFirstStartup() : TrailStartup("Z");

    internal sealed class AStartup() : TrailStartup("A");

    internal sealed class BStartup() : TrailStartup("B");

    internal sealed class MiddleStartup() : TrailStartup("Middle");

    internal sealed class LastStartup() : TrailStartup("Last");

    [FunctionsStartup(typeof(LastStartup), Order = 9)]
    [FunctionsStartup(typeof(BStartup))]
    [FunctionsStartup(typeof(AStartup))]
    [FunctionsStartup(typeof(ZFirstStartup), Order = -1)]
    private sealed class TrailFunction(IConfiguration configuration, IEnumerable<Mark> marks) : IHttpFunction
    {
        public Task HandleAsync(HttpContext context)
        {
            var logging = marks.Where(mark => mark.Hook == "logging").Select(mark => mark.Startup);
            var services = marks.Where(mark => mark.Hook == "services").Select(mark => mark.Startup);
            return context.Response.WriteAsync(
                $"""
                configuration:{configuration["Trail"]}
                logging: {string.Join(' ', logging)}
                services: {string.Join(' ', services)}
                middleware:{context.Items["Trail"]}
                """,
                context.RequestAborted);
        }
    }

    private sealed record Mark(string Hook, string Startup);

    /// <summary>Leaves its name at every hook.</summary>
    internal abstract class TrailStartup(string name) : FunctionsStartup
    {
        public override void ConfigureAppConfiguration(
            WebHostBuilderContext context, IConfigurationBuilder configuration)
        {
            var before = configuration.Build()["Trail"];
            configuration.AddInMemoryCollection([new("Trail", $"{before} {name}")]);
        }

        public override void ConfigureLogging(WebHostBuilderContext context, ILoggingBuilder logging) =>
            logging.Services.AddSingleton(new Mark("logging", name));

        public override void ConfigureServices(WebHostBuilderContext context, IServiceCollection services) =>
            services.AddSingleton(new Mark("services", name));

        public override void Configure(WebHostBuilderContext context, IApplicationBuilder app) =>
            app.Use((http, next) =>
            {
                http.Items["Trail"] = $"{http.Items["Trail"]} {name}";
                return next(http);
            });
    }

    private sealed class GateStartup : FunctionsStartup
    {
        public override void Configure(WebHostBuilderContext context, IApplicationBuilder app) =>
            app.Use((http, next) => http.Request.Query["gate"] == "closed"
                ? http.Response.WriteAsync("stopped at the gate", http.RequestAborted)
                : next(http));
    }

    private sealed class GreetingStartup : FunctionsStartup
    {
        public override void ConfigureAppConfiguration(
            WebHostBuilderContext context, IConfigurationBuilder configuration) =>
            configuration.AddInMemoryCollection([new("Greeting:Word", "startup")]);
    }

    private class GreetingFunction(IConfiguration configuration) : IHttpFunction
    {
        public Task HandleAsync(HttpContext context) =>
            context.Response.WriteAsync(
                $"{configuration["Greeting:Word"]}, {configuration["Greeting:Other"]}", context.RequestAborted);
    }

    [FunctionsStartup(typeof(GreetingStartup))]
    private abstract class BaseFunction(IConfiguration configuration) : GreetingFunction(configuration);

    private sealed class DerivedFunction(IConfiguration configuration) : BaseFunction(configuration);
}
