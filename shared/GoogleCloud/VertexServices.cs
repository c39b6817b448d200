using FeedbackLoop.Extraction;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace FeedbackLoop.GoogleCloud;

/// <summary>Clients of Vertex AI; <see cref="GoogleCloudOptions"/> must be bound.</summary>
public static class VertexServices
{
    public static IServiceCollection AddVertexTuning(this IServiceCollection services)
    {
        services.AddVertexChannels();
        services.AddSingleton<IamCredentialsClient>();
        services.AddSingleton<ITuningService, VertexTuningService>();
        return services;
    }

    public static IServiceCollection AddVertexExtraction(this IServiceCollection services)
    {
        services.AddVertexChannels();
        services.AddSingleton<IExtractionModel, VertexExtractionModel>();
        return services;
    }

    private static void AddVertexChannels(this IServiceCollection services)
    {
        services.TryAddSingleton<GoogleAccess>();
        services.TryAddSingleton<VertexChannels>();
    }
}
