using System.Reflection;
using Google.Cloud.Functions.Framework;
using Microsoft.Extensions.Configuration;

namespace Google.Cloud.Functions.Hosting;

/// <summary>The function that a host serves.</summary>
internal sealed record FunctionTarget(Type FunctionType)
{
    /// <exception cref="InvalidOperationException">Configuration names a type that the assembly lacks.</exception>
    /// <exception cref="ArgumentException">No type is named, and the assembly holds no function or several.</exception>
    public static FunctionTarget Find(IConfiguration configuration, Assembly assembly)
    {
        if (FunctionsSettings.From(configuration).FunctionTarget is { } name)
        {
            return new FunctionTarget(
                assembly.GetType(name)
                ?? throw new InvalidOperationException(
                    $"Can't load specified function type '{name}' from assembly '{assembly.GetName().Name}'."));
        }

        return List(assembly) switch
        {
            [var only] => new FunctionTarget(only),
            [] => throw new ArgumentException("No valid Cloud Function types found."),
            var several => throw new ArgumentException(
                "Multiple Cloud Function types found; name one by "
                + $"{EntryPoint.FunctionTargetEnvironmentVariable}: {string.Join(", ", several.AsEnumerable())}."),
        };
    }

    /// <summary>Null where <see cref="Find"/> throws.</summary>
    public static FunctionTarget? Guess(IConfiguration configuration, Assembly assembly)
    {
        var type = FunctionsSettings.From(configuration).FunctionTarget is { } name
            ? assembly.GetType(name)
            : List(assembly) is [var only] ? only : null;
        return type is null ? null : new FunctionTarget(type);
    }

    /// <summary>The one closed form of a generic interface; null when the type has none or several.</summary>
    public static Type? FindClosed(Type type, Type openInterface) =>
        ListClosed(type, openInterface) is [var only] ? only : null;

    private static Type[] List(Assembly assembly) => Array.FindAll(assembly.GetTypes(), IsFunction);

    private static bool IsFunction(Type type) =>
        type is { IsClass: true, IsAbstract: false, IsGenericType: false }
        && (type.IsAssignableTo(typeof(IHttpFunction))
            || type.IsAssignableTo(typeof(ICloudEventFunction))
            || ListClosed(type, typeof(ICloudEventFunction<>)).Length > 0
            || ListClosed(type, typeof(ITypedFunction<,>)).Length > 0);

    private static Type[] ListClosed(Type type, Type openInterface) =>
        Array.FindAll(
            type.GetInterfaces(),
            candidate => candidate.IsGenericType && candidate.GetGenericTypeDefinition() == openInterface);
}
