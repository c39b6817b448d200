using System.Net;
using Google.Cloud.Functions.Hosting;

namespace Microsoft.Extensions.Configuration;

/// <summary>Where the <c>FunctionsFramework</c> section comes from.</summary>
public static class FunctionsFrameworkConfigurationExtensions
{
    /// <summary>
    /// Adds <c>PORT</c> and <c>FUNCTION_TARGET</c> where given. Address and log format are always set, over earlier
    /// sources: all addresses with <c>DOTNET_RUNNING_IN_CONTAINER=true</c>, else loopback; JSON with
    /// <c>K_SERVICE</c>, which Cloud Run sets, else plain lines.
    /// </summary>
    public static IConfigurationBuilder AddFunctionsEnvironment(this IConfigurationBuilder builder)
    {
        var values = new Dictionary<string, string?>();
        if (Find(EntryPoint.PortEnvironmentVariable) is { } port)
        {
            values[Key(nameof(FunctionsSettings.Port))] = port;
        }

        if (Find(EntryPoint.FunctionTargetEnvironmentVariable) is { } target)
        {
            values[Key(nameof(FunctionsSettings.FunctionTarget))] = target;
        }

        values[Key(nameof(FunctionsSettings.Address))] =
            FunctionsSettings.IsTrue(Find("DOTNET_RUNNING_IN_CONTAINER"))
                ? nameof(IPAddress.Any)
                : nameof(IPAddress.Loopback);
        values[Key(nameof(FunctionsSettings.JsonLogging))] = Find("K_SERVICE") is null ? "false" : "true";
        return builder.AddInMemoryCollection(values);
    }

    /// <summary>
    /// Adds the command line: <c>--port</c>, <c>--target</c>, or the target as a single bare argument; else any key as
    /// <see cref="CommandLineConfigurationExtensions"/> reads it.
    /// </summary>
    public static IConfigurationBuilder AddFunctionsCommandLine(this IConfigurationBuilder builder, string[] args) =>
        builder.AddCommandLine(
            args is [var only] && IsBare(only) ? ["--target", only] : args,
            new Dictionary<string, string>
            {
                ["--port"] = Key(nameof(FunctionsSettings.Port)),
                ["--target"] = Key(nameof(FunctionsSettings.FunctionTarget)),
            });

    private static bool IsBare(string argument) =>
        !argument.StartsWith('-') && !argument.StartsWith('/') && !argument.Contains('=', StringComparison.Ordinal);

    private static string Key(string name) => ConfigurationPath.Combine(FunctionsSettings.Section, name);

    private static string? Find(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { } value && !string.IsNullOrWhiteSpace(value) ? value : null;
}
