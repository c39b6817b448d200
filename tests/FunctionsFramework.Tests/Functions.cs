using System.Text.Json.Serialization;
using CloudNative.CloudEvents;
using CloudNative.CloudEvents.SystemTextJson;
using Google.Cloud.Functions.Framework;
using Microsoft.AspNetCore.Http;

namespace FunctionsFramework.Tests;

internal sealed class EchoFunction : IHttpFunction
{
    public Task HandleAsync(HttpContext context) =>
        context.Response.WriteAsync(
            $"{context.Request.Method} {context.Request.Path}", context.RequestAborted);
}

internal sealed class FailingFunction : IHttpFunction, ICloudEventFunction
{
    public Task HandleAsync(HttpContext context) => throw new InvalidOperationException("broken on purpose");

    public Task HandleAsync(CloudEvent cloudEvent, CancellationToken cancellationToken) =>
        throw new NotSupportedException("An IHttpFunction is one first.");
}

internal sealed class UntypedFunction(Inbox inbox) : ICloudEventFunction
{
    public Task HandleAsync(CloudEvent cloudEvent, CancellationToken cancellationToken)
    {
        inbox.Add(cloudEvent, cloudEvent.Data);
        return Task.CompletedTask;
    }
}

[CloudEventFormatter(typeof(JsonEventFormatter<Order>))]
internal sealed record Order(
    [property: JsonPropertyName("item")] string Item, [property: JsonPropertyName("count")] int Count);

internal sealed class OrderFunction(Inbox inbox) : ICloudEventFunction<Order>
{
    public Task HandleAsync(CloudEvent cloudEvent, Order data, CancellationToken cancellationToken)
    {
        inbox.Add(cloudEvent, data);
        return data is { Item: "poison" } ? throw new InvalidOperationException("poison") : Task.CompletedTask;
    }
}

internal sealed record Unformatted(string Item);

internal sealed class UnformattedFunction(Inbox inbox) : ICloudEventFunction<Unformatted>
{
    public Task HandleAsync(CloudEvent cloudEvent, Unformatted data, CancellationToken cancellationToken)
    {
        inbox.Add(cloudEvent, data);
        return Task.CompletedTask;
    }
}

[CloudEventFormatter(typeof(JsonEventFormatter<Push>))]
internal sealed record Push(
    [property: JsonPropertyName("message")] PushMessage Message,
    [property: JsonPropertyName("subscription")] string Subscription,
    [property: JsonPropertyName("deliveryAttempt")] int? DeliveryAttempt);

internal sealed record PushMessage(
    [property: JsonPropertyName("data")] byte[]? Data,
    [property: JsonPropertyName("messageId")] string MessageId,
    [property: JsonPropertyName("publishTime")] string? PublishTime,
    [property: JsonPropertyName("orderingKey")] string? OrderingKey,
    [property: JsonPropertyName("attributes")] Dictionary<string, string>? Attributes);

internal sealed class PushFunction(Inbox inbox) : ICloudEventFunction<Push>
{
    public Task HandleAsync(CloudEvent cloudEvent, Push data, CancellationToken cancellationToken)
    {
        inbox.Add(cloudEvent, data);
        return Task.CompletedTask;
    }
}

internal sealed record Question(int Left, int Right);

internal sealed record Answer(int Sum);

internal sealed class SumFunction : ITypedFunction<Question, Answer>
{
    public Task<Answer> HandleAsync(Question request, CancellationToken cancellationToken) =>
        Task.FromResult(new Answer(checked(request.Left + request.Right)));
}

internal sealed class TwoTypesFunction : ICloudEventFunction<Order>, ICloudEventFunction<Push>
{
    public Task HandleAsync(CloudEvent cloudEvent, Order data, CancellationToken cancellationToken) =>
        Task.CompletedTask;

    public Task HandleAsync(CloudEvent cloudEvent, Push data, CancellationToken cancellationToken) =>
        Task.CompletedTask;
}
