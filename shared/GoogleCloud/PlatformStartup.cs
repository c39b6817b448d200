using FeedbackLoop.Datasets;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Statistics;
using Google.Apis.Auth.OAuth2;
using Google.Cloud.Functions.Hosting;
using Google.Cloud.PubSub.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.GoogleCloud;

/// <summary>
/// What every function has: logs, traces and metrics, database, clock, step runner, outbox, publisher and dataset bucket.
/// </summary>
public sealed class PlatformStartup : FunctionsStartup
{
    /// <summary>Writes log lines for Cloud Logging outside Cloud Run too.</summary>
    public const string CloudLogsKey = "Logging:CloudLogs";

    public override void ConfigureLogging(WebHostBuilderContext context, ILoggingBuilder logging)
    {
        logging.AddFilter("Npgsql", LogLevel.Warning).AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        var configuration = context.Configuration;
        if (configuration["K_SERVICE"] is null && !configuration.GetValue<bool>(CloudLogsKey))
        {
            return;
        }

        // In place of the framework's own lines, which name no trace.
        var formatter = new CloudLogFormatter(
            configuration["GoogleCloud:ProjectId"] ?? "", configuration["K_SERVICE"], configuration["K_REVISION"],
            TimeProvider.System);
        logging.ClearProviders().Services.AddSingleton<ILoggerProvider>(
            _ => new CloudLogProvider(StandardOutput(), formatter));
    }

    public override void Configure(WebHostBuilderContext context, IApplicationBuilder app) =>
        app.UseTelemetry(context.Configuration);

    public override void ConfigureServices(WebHostBuilderContext context, IServiceCollection services)
    {
        services.AddOptions<DatabaseOptions>().BindConfiguration(DatabaseOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<DatabaseOptions>, DatabaseOptionsValidator>();
        services.AddOptions<GoogleCloudOptions>()
            .BindConfiguration(GoogleCloudOptions.Section)
            .PostConfigure<IConfiguration>((options, configuration) =>
            {
                options.PubSubAddress ??= GoogleCloudAddress.Parse(configuration["PUBSUB_EMULATOR_HOST"]);
                options.StorageAddress ??= GoogleCloudAddress.Parse(configuration["STORAGE_EMULATOR_HOST"]);
            })
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<GoogleCloudOptions>, GoogleCloudOptionsValidator>();

        services.AddOptions<VerificationOptions>().BindConfiguration(VerificationOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<VerificationOptions>, VerificationOptionsValidator>();
        services.AddSingleton(provider => new CountingRules(provider.GetRequiredService<IOptions<VerificationOptions>>().Value));

        // Without a web host around it, as in the main job of ./run, there is no environment.
        services.AddTelemetry(context.Configuration, context.HostingEnvironment?.ApplicationName ?? "feedback-loop");
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<Failpoints>();
        services.AddSingleton(CreateDataSource);
        services.AddSingleton<StepRunner>();
        services.AddSingleton<OutboxRelay>();
        services.AddSingleton<IMessagePublisher, PubSubPublisher>();
        services.TryAddSingleton<GoogleAccess>();
        services.AddSingleton(provider => new Publisher.PublisherClient(GoogleChannel.Create(
            new Uri("https://pubsub.googleapis.com"), Google(provider).PubSubAddress,
            provider.GetRequiredService<GoogleAccess>())));
        services.AddSingleton<IDatasetStore>(provider => new GcsDatasetStore(
            GcsDatasetStore.CreateService(
                Google(provider).StorageAddress,
                Google(provider).StorageAddress is null
                    ? GoogleCredential.GetApplicationDefault().CreateScoped(GoogleAccess.Scope)
                    : null),
            Google(provider).Bucket));
    }

    private static GoogleCloudOptions Google(IServiceProvider provider) =>
        provider.GetRequiredService<IOptions<GoogleCloudOptions>>().Value;

#pragma warning disable RS0030 // A log is written to standard output: this is where it is opened.
    private static Stream StandardOutput() => Console.OpenStandardOutput();
#pragma warning restore RS0030

    private static NpgsqlDataSource CreateDataSource(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<IOptions<DatabaseOptions>>().Value;
        var builder = new NpgsqlDataSourceBuilder(options.ConnectionString);
        builder.ConnectionStringBuilder.MaxPoolSize = options.MaxConnections;
        builder.ConnectionStringBuilder.ApplicationName ??= "feedback-loop";
        builder.UseLoggerFactory(provider.GetRequiredService<ILoggerFactory>());
        return builder.Build();
    }
}
