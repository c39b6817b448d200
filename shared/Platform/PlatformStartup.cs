using FeedbackLoop.Runs;
using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace FeedbackLoop.Platform;

/// <summary>What every function needs.</summary>
public sealed class PlatformStartup : FunctionsStartup
{
    public override void ConfigureServices(WebHostBuilderContext context, IServiceCollection services)
    {
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<Failpoints>();
        services.AddSingleton<StepRunner>();
        services.AddSingleton<OutboxRelay>();
    }
}
