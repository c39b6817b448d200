using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Selection;
using FeedbackLoop.Tuning;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace FeedbackLoop.Local;

/// <summary>What an extraction worker needs to select a model and to ask it, configured as the functions are.</summary>
internal static class SelectionServices
{
    public static ServiceProvider Build(IReadOnlyDictionary<string, string?> settings)
    {
        var configuration = new ConfigurationBuilder()
            .SetBasePath(AppContext.BaseDirectory)
            .AddJsonFile("appsettings.json")
            .AddInMemoryCollection(settings)
            .Build();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddLogging();
        new PlatformStartup().ConfigureServices(new WebHostBuilderContext { Configuration = configuration }, services);
        services.AddTuning();
        services.AddVertexExtraction();
        services.AddSingleton<ModelSelector>();
        return services.BuildServiceProvider();
    }
}
