using System.Reflection;
using CloudNative.CloudEvents;
using CloudNative.CloudEvents.SystemTextJson;
using Google.Cloud.Functions.Framework;
using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Hosting;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the function and what turns an HTTP request into its call.</summary>
public static class FunctionsFrameworkServiceCollectionExtensions
{
    /// <summary>Registers the function that configuration names, else the assembly's only one.</summary>
    /// <exception cref="InvalidOperationException">The named type is not in the assembly or is no function.</exception>
    /// <exception cref="ArgumentException">No type is named, and the assembly holds no function or several.</exception>
    public static IServiceCollection AddFunctionTarget(
        this IServiceCollection services, WebHostBuilderContext context, Assembly assembly) =>
        services.AddFunctionTarget(FunctionTarget.Find(context.Configuration, assembly).FunctionType);

    /// <exception cref="InvalidOperationException">The type is no function.</exception>
    public static IServiceCollection AddFunctionTarget<TFunction>(this IServiceCollection services) =>
        services.AddFunctionTarget(typeof(TFunction));

    /// <exception cref="InvalidOperationException">The type is no function.</exception>
    public static IServiceCollection AddFunctionTarget(this IServiceCollection services, Type type)
    {
        services.AddSingleton(new FunctionTarget(type));
        if (type.IsAssignableTo(typeof(IHttpFunction)))
        {
            return services.AddScoped(typeof(IHttpFunction), type);
        }

        if (type.IsAssignableTo(typeof(ICloudEventFunction)))
        {
            return services
                .AddSingleton<CloudEventFormatter>(new JsonEventFormatter())
                .AddScoped(typeof(ICloudEventFunction), type)
                .AddScoped<IHttpFunction, CloudEventAdapter>();
        }

        if (FunctionTarget.FindClosed(type, typeof(ITypedFunction<,>)) is { } typedFunction)
        {
            return services
                .AddScoped(typeof(IHttpRequestReader<>), typeof(JsonRequestReader<>))
                .AddScoped(typeof(IHttpResponseWriter<>), typeof(JsonResponseWriter<>))
                .AddScoped(typedFunction, type)
                .AddAdapter(typeof(TypedFunctionAdapter<,>), typedFunction);
        }

        if (FunctionTarget.FindClosed(type, typeof(ICloudEventFunction<>)) is { } eventFunction)
        {
            // Without the attribute a startup class may still bring a formatter.
            if (CloudEventFormatterAttribute.CreateFormatter(eventFunction.GenericTypeArguments[0]) is { } formatter)
            {
                services.AddSingleton(formatter);
            }

            return services
                .AddScoped(eventFunction, type)
                .AddAdapter(typeof(CloudEventAdapter<>), eventFunction);
        }

        throw new InvalidOperationException($"{type} implements no function interface, or one for several types.");
    }

    private static IServiceCollection AddAdapter(this IServiceCollection services, Type adapter, Type function) =>
        services.AddScoped(typeof(IHttpFunction), adapter.MakeGenericType(function.GenericTypeArguments));
}
