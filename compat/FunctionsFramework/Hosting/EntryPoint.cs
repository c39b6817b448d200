using System.Reflection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Google.Cloud.Functions.Hosting;

/// <summary>One process, one function: what a deployable's <c>Main</c> calls.</summary>
public static partial class EntryPoint
{
    public const string FunctionTargetEnvironmentVariable = "FUNCTION_TARGET";
    public const string PortEnvironmentVariable = "PORT";

    /// <summary>
    /// Serves the function until the process is told to stop, then returns 0. The function is the one named by
    /// <c>FUNCTION_TARGET</c>, <c>--target</c> or a single bare argument, else the assembly's only one.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// The named type is not in the assembly or is no function; or configuration changes the target after its startup
    /// classes were chosen.
    /// </exception>
    /// <exception cref="ArgumentException">No type is named, and the assembly holds no function or several.</exception>
    public static async Task<int> StartAsync(Assembly functionAssembly, string[] args)
    {
        // Kestrel would warn at each start that PORT overrides it; images and launch profiles like to set it.
        Environment.SetEnvironmentVariable("ASPNETCORE_URLS", null);

        // Startup classes extend the very configuration that names the target, so environment and command line alone
        // have to do for finding them. Whether that was right is checked below.
        var early = new ConfigurationBuilder().AddFunctionsEnvironment().AddFunctionsCommandLine(args).Build();
        var expected = FunctionTarget.Guess(early, functionAssembly)?.FunctionType;

        using var host = Host.CreateDefaultBuilder()
            .ConfigureAppConfiguration(builder => builder.AddFunctionsEnvironment().AddFunctionsCommandLine(args))
            .ConfigureWebHostDefaults(web => web
                .ConfigureLogging((context, logging) => logging.ClearProviders().AddFunctionsConsoleLogging(context))
                .ConfigureKestrelForFunctionsFramework()
                .ConfigureServices((context, services) => services.AddFunctionTarget(context, functionAssembly))
                .UseFunctionsStartups(functionAssembly, expected)
                .Configure((context, app) => app.UseFunctionsFramework(context)))
            .Build();

        var target = host.Services.GetRequiredService<FunctionTarget>().FunctionType;
        CheckStartups(functionAssembly, expected, target);
        var logger = host.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(EntryPoint));
        LogServing(logger, target);

        await host.RunAsync();
        return 0;
    }

    private static void CheckStartups(Assembly functionAssembly, Type? expected, Type target)
    {
        var used = FunctionsStartupAttribute.GetStartupTypes(functionAssembly, expected);
        var required = FunctionsStartupAttribute.GetStartupTypes(functionAssembly, target);
        if (!used.SequenceEqual(required))
        {
            throw new InvalidOperationException(
                $"Mismatch in startup classes: {target} needs others than the ones used. "
                + $"Name the target by {FunctionTargetEnvironmentVariable} or on the command line.");
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Serving function {FunctionType}")]
    private static partial void LogServing(ILogger logger, Type functionType);
}
