using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace FunctionsFramework.Tests;

public sealed class RawPubSubPushTests
{
    private const string Json = "application/json";
    private const string TopicPath = "/projects/demo/topics/orders";

    // As the Pub/Sub emulator 0.8.20 sends it; the real service adds deliveryAttempt at the top.
    private const string PushJson =
        """
        {"subscription":"projects\/demo\/subscriptions\/raw","message":{"publishTime":"2026-11-23T09:16:40.632Z",
         "data":"eyJ4IjoxfQ==","publish_time":"2026-11-23T09:16:40.632Z","messageId":"68","attributes":{"k1":"v1"},
         "orderingKey":"a","message_id":"68"}}
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_push_becomes_the_event_that_Eventarc_would_send()
    {
        await using var host = await FunctionHost.StartAsync<PushFunction>();

        using var response = await host.PostAsync(TopicPath, PushJson, Json);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var (cloudEvent, _) = host.Inbox.Only;
        Assert.Equal("68", cloudEvent.Id);
        Assert.Equal("google.cloud.pubsub.topic.v1.messagePublished", cloudEvent.Type);
        Assert.Equal("//pubsub.googleapis.com/projects/demo/topics/orders", cloudEvent.Source?.ToString());
        Assert.Equal(new DateTimeOffset(2026, 11, 23, 9, 16, 40, 632, TimeSpan.Zero), cloudEvent.Time);
        Assert.Equal("orders", cloudEvent["topic"]);
        Assert.Equal(Json, cloudEvent.DataContentType);
        Assert.Empty(host.Logs.At(LogLevel.Warning));
    }

    [Fact]
    public async Task The_message_arrives_with_all_its_members()
    {
        await using var host = await FunctionHost.StartAsync<PushFunction>();

        using var response = await host.PostAsync(TopicPath, PushJson, Json);

        var push = Assert.IsType<Push>(host.Inbox.Only.Data);
        Assert.Equal("projects/demo/subscriptions/raw", push.Subscription);
        Assert.Equal("""{"x":1}""", Encoding.UTF8.GetString(push.Message.Data ?? []));
        Assert.Equal("68", push.Message.MessageId);
        Assert.Equal("2026-11-23T09:16:40.632Z", push.Message.PublishTime);
        Assert.Equal("a", push.Message.OrderingKey);
        Assert.Equal("v1", push.Message.Attributes?["k1"]);
    }

    [Fact]
    public async Task A_function_without_a_data_type_sees_the_push_as_JSON()
    {
        await using var host = await FunctionHost.StartAsync<UntypedFunction>();

        using var response = await host.PostAsync(TopicPath, PushJson, Json);

        var data = Assert.IsType<JsonElement>(host.Inbox.Only.Data);
        Assert.Equal("68", data.GetProperty("message").GetProperty("messageId").GetString());
        Assert.Equal(["message", "subscription"], data.EnumerateObject().Select(member => member.Name));
    }

    [Fact]
    public async Task The_delivery_attempt_is_dropped()
    {
        await using var host = await FunctionHost.StartAsync<PushFunction>();

        using var response = await host.PostAsync(
            TopicPath, """{"deliveryAttempt":5,"message":{"messageId":"68"},"subscription":"s"}""", Json);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Null(Assert.IsType<Push>(host.Inbox.Only.Data).DeliveryAttempt);
    }

    [Fact]
    public async Task The_delivery_attempt_of_a_real_event_survives()
    {
        await using var host = await FunctionHost.StartAsync<PushFunction>();

        using var response = await host.PostAsync(
            "/",
            """{"deliveryAttempt":5,"message":{"messageId":"68"},"subscription":"s"}""",
            Json,
            CloudEventTests.Headers());

        Assert.Equal(5, Assert.IsType<Push>(host.Inbox.Only.Data).DeliveryAttempt);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/projects/demo/topics")]
    [InlineData("/projects/demo/topics/orders/more")]
    [InlineData("/v1/projects/demo/topics/orders")]
    public async Task A_path_that_names_no_topic_leaves_it_unknown_with_a_warning(string path)
    {
        await using var host = await FunctionHost.StartAsync<PushFunction>();

        using var response = await host.PostAsync(path, PushJson, Json);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var (cloudEvent, _) = host.Inbox.Only;
        Assert.Equal(
            "//pubsub.googleapis.com/projects/unknown-project!/topics/unknown-topic!", cloudEvent.Source?.ToString());
        Assert.Equal("unknown-topic!", cloudEvent["topic"]);
        Assert.Contains(path, Assert.Single(host.Logs.At(LogLevel.Warning)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"2026-11-23T09:16:40Z\"", "2026-11-23T09:16:40.0000000+00:00")]
    [InlineData("\"2026-11-23T09:16:40.123456Z\"", "2026-11-23T09:16:40.1234560+00:00")]
    [InlineData("\"yesterday\"", null)]
    [InlineData("null", null)]
    public async Task The_publish_time_is_the_time_of_the_event(string publishTime, string? expected)
    {
        await using var host = await FunctionHost.StartAsync<PushFunction>();

        using var response = await host.PostAsync(
            TopicPath, $$"""{"message":{"messageId":"68","publishTime":{{publishTime}}},"subscription":"s"}""", Json);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(expected, host.Inbox.Only.Event.Time?.ToString("O", CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("text/plain")]
    [InlineData(null)]
    public async Task Only_the_bare_content_type_is_accepted(string? contentType)
    {
        await using var host = await FunctionHost.StartAsync<PushFunction>();

        using var response = await host.PostAsync(TopicPath, PushJson, contentType);

        await AssertRefusedAsync(host, response);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"message\":")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"message":{},"subscription":"s"}""")]
    [InlineData("""{"message":{"messageId":68},"subscription":"s"}""")]
    [InlineData("""{"message":{"messageId":"68"}}""")]
    [InlineData("""{"subscription":"s"}""")]
    [InlineData("""{"message":"68","subscription":"s"}""")]
    [InlineData("""{"message":{"messageId":"68"},"subscription":"s","data":{}}""")]
    [InlineData("""{"message":{"messageId":"68"},"subscription":"s","context":{}}""")]
    [InlineData("""{"message":{"messageId":"68"},"subscription":"s","eventId":"1"}""")]
    [InlineData("""{"message":{"messageId":"68"},"subscription":"s","eventType":"t"}""")]
    [InlineData("""{"message":{"messageId":"68"},"subscription":"s","params":{}}""")]
    [InlineData("""{"message":{"messageId":"68"},"subscription":"s","domain":"d"}""")]
    [InlineData("""{"message":{"messageId":"68"},"subscription":"s","timestamp":"2026-11-23T09:16:40Z"}""")]
    public async Task A_body_that_is_no_push_is_400(string body)
    {
        await using var host = await FunctionHost.StartAsync<PushFunction>();

        using var response = await host.PostAsync(TopicPath, body, Json);

        await AssertRefusedAsync(host, response);
    }

    private static async Task AssertRefusedAsync(FunctionHost host, HttpResponseMessage response)
    {
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsStringAsync(Token));
        Assert.Empty(host.Inbox.Events);
        Assert.Single(host.Logs.At(LogLevel.Error));
    }
}
