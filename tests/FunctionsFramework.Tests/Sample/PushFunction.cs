using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using CloudNative.CloudEvents;
using CloudNative.CloudEvents.SystemTextJson;
using Google.Cloud.Functions.Framework;
using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Sample;

[CloudEventFormatter(typeof(PushFormatter))]
public sealed record Push(
    [property: JsonPropertyName("message")] PushMessage Message,
    [property: JsonPropertyName("subscription")] string Subscription);

public sealed record PushMessage(
    [property: JsonPropertyName("data")] byte[] Data,
    [property: JsonPropertyName("messageId")] string MessageId);

public sealed class PushFormatter()
    : JsonEventFormatter<Push>(new JsonSerializerOptions { TypeInfoResolver = PushJson.Default }, default);

[JsonSerializable(typeof(Push))]
internal sealed partial class PushJson : JsonSerializerContext;

/// <summary>The word with which the function reports a message.</summary>
public sealed record Greeting(string Word);

public sealed class PushStartup : FunctionsStartup
{
    public override void ConfigureServices(WebHostBuilderContext context, IServiceCollection services) =>
        services.AddSingleton(new Greeting("Received"));
}

[FunctionsStartup(typeof(PushStartup))]
public sealed partial class PushFunction(Greeting greeting, ILogger<PushFunction> logger) : ICloudEventFunction<Push>
{
    public Task HandleAsync(CloudEvent cloudEvent, Push data, CancellationToken cancellationToken)
    {
        using var scope = logger.BeginScope("message {MessageId}", data.Message.MessageId);
        var text = Encoding.UTF8.GetString(data.Message.Data);
        LogReceived(greeting.Word, text, (string?)cloudEvent["topic"]);
        return Task.CompletedTask;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Greeting} {Text} from {Topic}")]
    private partial void LogReceived(string greeting, string text, string? topic);
}
