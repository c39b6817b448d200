using FeedbackLoop.Access;
using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.AdminApi.Exports;
using FeedbackLoop.AdminApi.Extractions;
using FeedbackLoop.AdminApi.Health;
using FeedbackLoop.AdminApi.Lineage;
using FeedbackLoop.AdminApi.Metrics;
using FeedbackLoop.AdminApi.Models;
using FeedbackLoop.AdminApi.OpenApi;
using FeedbackLoop.AdminApi.People;
using FeedbackLoop.AdminApi.Problems;
using FeedbackLoop.AdminApi.Runs;
using FeedbackLoop.AdminApi.Schedules;
using FeedbackLoop.AdminApi.Selection;
using FeedbackLoop.AdminApi.Statistics;
using FeedbackLoop.AdminApi.Training;
using FeedbackLoop.AdminApi.Ui;
using FeedbackLoop.Datasets;
using FeedbackLoop.Examples;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Lineage;
using FeedbackLoop.Pii;
using FeedbackLoop.Spending;
using FeedbackLoop.Tuning;
using Google.Cloud.Functions.Framework;
using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.AdminApi;

internal sealed class Startup : FunctionsStartup
{
    public override void ConfigureServices(WebHostBuilderContext context, IServiceCollection services)
    {
        services.AddOptions<ExportOptions>().BindConfiguration(ExportOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ExportOptions>, ExportOptionsValidator>();
        services.AddOptions<AdminApiOptions>().BindConfiguration(AdminApiOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<AdminApiOptions>, AdminApiOptionsValidator>();
        services.AddTuning();
        services.AddSpending();
        services.AddVertexTuning();

        services.AddSingleton<TenantConnections>();
        services.AddSingleton<WakeUp>();
        services.AddSingleton<RunStarter>();
        services.AddSingleton<RunCanceller>();
        services.AddSingleton<RunApprover>();
        services.AddSingleton<RunPresenter>();
        services.AddSingleton<SchedulePresenter>();
        services.AddSingleton<SelectionPresenter>();
        services.AddSingleton(new PiiScanner());
        services.AddSingleton<TokenCounter>();
        services.AddSingleton<PreflightChecks>();
        services.AddSingleton<StartRules>();
        services.AddSingleton<TrainingForecast>();
        services.AddSingleton<ExportDownloads>();
        services.AddSingleton(provider => new LineageReader(
            provider.GetRequiredService<IOptions<BaseModelCatalogue>>().Value,
            provider.GetRequiredService<IOptions<TuningOptions>>().Value.AssumedEpochs));

        services.AddAccess();
        services.AddAuthorization(options => options.FallbackPolicy = options.DefaultPolicy);
        services.AddStartLimits();
        services.AddProblems();
        services.ConfigureHttpJsonOptions(options => AdminJson.Configure(options.SerializerOptions));
        services.AddOpenApiDocument();
        services.AddRequestTraces(context.Configuration);
        services.AddRouting();
    }

    public override void Configure(WebHostBuilderContext context, IApplicationBuilder app)
    {
        app.UseMiddleware<SecurityHeaders>();
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.UsePathBase("/api");
        app.UseRouting();
        app.UseMiddleware<UiPages>();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseRateLimiter();
        app.UseMiddleware<PersonLookup>();
        app.UseEndpoints(Map);
    }

    private static void Map(IEndpointRouteBuilder api)
    {
        api.MapHealth();
        api.MapPeople();
        api.MapStatistics();
        api.MapExports();
        api.MapTraining();
        api.MapPreflights();
        api.MapRuns();
        api.MapSchedules();
        api.MapModels();
        api.MapSelection();
        api.MapExtractions();
        api.MapLineage();
        api.MapMetrics();
        api.MapUiSettings();
        api.MapOpenApi("/openapi.json").AllowAnonymous();
        RouteRoles.RequireOnAll(api);
    }
}

/// <summary>The REST API for people and extraction workers. What no route takes ends here.</summary>
[FunctionsStartup(typeof(PlatformStartup), Order = 0)]
[FunctionsStartup(typeof(Startup), Order = 1)]
internal sealed class Function : IHttpFunction
{
    public Task HandleAsync(HttpContext context) =>
        Problem.NotFound("route", $"There is no {context.Request.Method} {context.Request.Path}.").ExecuteAsync(context);
}
