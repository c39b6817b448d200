using System.Reflection;
using Google.Cloud.Functions.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Hosts a function: its endpoint and its startup classes.</summary>
public static class FunctionsFrameworkWebHostBuilderExtensions
{
    /// <summary>Listens on the configured address and port, and nowhere else.</summary>
    public static IWebHostBuilder ConfigureKestrelForFunctionsFramework(this IWebHostBuilder builder) =>
        builder.ConfigureKestrel((context, kestrel) =>
        {
            var settings = FunctionsSettings.From(context.Configuration);
            kestrel.Listen(settings.Address, settings.Port);
        });

    /// <summary>
    /// Uses the startup classes of the assembly and of the function. Call it after the function is registered, so that
    /// their registrations win.
    /// </summary>
    public static IWebHostBuilder UseFunctionsStartups(
        this IWebHostBuilder webHostBuilder, Assembly assembly, Type? functionType) =>
        FunctionsStartupAttribute.GetStartupTypes(assembly, functionType)
            .Select(type => (FunctionsStartup)Activator.CreateInstance(type)!) // null is for Nullable<T> only
            .Aggregate(webHostBuilder, (builder, startup) => builder.UseFunctionsStartup(startup));

    /// <inheritdoc cref="UseFunctionsStartups"/>
    public static IWebHostBuilder UseFunctionsStartup(this IWebHostBuilder webHostBuilder, FunctionsStartup startup) =>
        webHostBuilder
            .ConfigureAppConfiguration(startup.ConfigureAppConfiguration)
            .ConfigureLogging(startup.ConfigureLogging)
            .ConfigureServices(startup.ConfigureServices)
            .ConfigureServices(services => services.AddSingleton(startup));
}
