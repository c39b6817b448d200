using System.Net;
using System.Text.Json;
using CloudNative.CloudEvents;
using CloudNative.CloudEvents.AspNetCore;
using CloudNative.CloudEvents.SystemTextJson;
using FeedbackLoop.Testing;
using Google.Cloud.Functions.Framework;
using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FunctionsFramework.Tests;

public sealed class CloudEventTests
{
    private const string Json = "application/json";
    private const string Structured = "application/cloudevents+json";
    private const string OrderJson = """{"item":"tea","count":2}""";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_binary_event_brings_its_attributes_in_headers()
    {
        await using var host = await FunctionHost.StartAsync<OrderFunction>();

        using var response = await host.PostAsync(
            "/", OrderJson, Json,
            Headers(
                ("ce-subject", "caf%C3%A9%20au%20lait"),
                ("ce-time", "2026-11-23T09:16:40.632Z"),
                ("ce-tint", "red")));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var (cloudEvent, data) = host.Inbox.Only;
        Assert.Equal(new Order("tea", 2), data);
        Assert.Equal("17", cloudEvent.Id);
        Assert.Equal("shop.order", cloudEvent.Type);
        Assert.Equal("//shop/tills/3", cloudEvent.Source?.ToString());
        Assert.Equal("café au lait", cloudEvent.Subject);
        Assert.Equal(new DateTimeOffset(2026, 11, 23, 9, 16, 40, 632, TimeSpan.Zero), cloudEvent.Time);
        Assert.Equal("red", cloudEvent["tint"]);
        Assert.Equal(Json, cloudEvent.DataContentType);
    }

    [Theory]
    [InlineData(Structured)]
    [InlineData("application/cloudevents+json; charset=utf-8")]
    public async Task A_structured_event_brings_everything_in_its_body(string contentType)
    {
        await using var host = await FunctionHost.StartAsync<OrderFunction>();

        using var response = await host.PostAsync(
            "/",
            """
            {"specversion":"1.0","id":"18","type":"shop.order","source":"//shop/tills/3","tint":"red",
             "datacontenttype":"application/json","data":{"item":"tea","count":2}}
            """,
            contentType);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var (cloudEvent, data) = host.Inbox.Only;
        Assert.Equal(new Order("tea", 2), data);
        Assert.Equal("18", cloudEvent.Id);
        Assert.Equal("red", cloudEvent["tint"]);
    }

    [Fact]
    public async Task A_function_without_a_data_type_sees_JSON()
    {
        await using var host = await FunctionHost.StartAsync<UntypedFunction>();

        using var response = await host.PostAsync("/", OrderJson, Json, Headers());

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var data = Assert.IsType<JsonElement>(host.Inbox.Only.Data);
        Assert.Equal("tea", data.GetProperty("item").GetString());
    }

    [Fact]
    public async Task A_body_without_a_content_type_is_read_as_JSON()
    {
        await using var host = await FunctionHost.StartAsync<OrderFunction>();

        using var response = await host.PostAsync("/", OrderJson, contentType: null, Headers());

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(new Order("tea", 2), host.Inbox.Only.Data);
    }

    [Fact]
    public async Task An_empty_body_reaches_the_function_with_null_data()
    {
        await using var host = await FunctionHost.StartAsync<OrderFunction>();

        using var response = await host.PostAsync("/", "", Json, Headers());

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Null(host.Inbox.Only.Data);
    }

    [Theory]
    [InlineData("{\"item\":", Json)]
    [InlineData("[]", Json)]
    [InlineData("tea", "text/plain")]
    public async Task Data_that_cannot_be_read_is_400_with_the_reason_in_the_log_only(string body, string contentType)
    {
        await using var host = await FunctionHost.StartAsync<OrderFunction>();

        using var response = await host.PostAsync("/", body, contentType, Headers());

        await AssertRefusedAsync(host, response);
    }

    [Fact]
    public async Task A_binary_event_without_a_required_attribute_is_400()
    {
        await using var host = await FunctionHost.StartAsync<OrderFunction>();
        var headers = Array.FindAll(Headers(), header => header.Name != "ce-id");

        using var response = await host.PostAsync("/", OrderJson, Json, headers);

        await AssertRefusedAsync(host, response);
    }

    [Fact]
    public async Task A_version_nobody_knows_is_400()
    {
        await using var host = await FunctionHost.StartAsync<OrderFunction>();
        var headers = Array.FindAll(Headers(), header => header.Name != "ce-specversion");

        using var response = await host.PostAsync("/", OrderJson, Json, [.. headers, ("ce-specversion", "9.9")]);

        await AssertRefusedAsync(host, response);
    }

    [Theory]
    [InlineData("{\"specversion\":\"1.0\",\"id\":", Structured)]
    [InlineData("{\"id\":\"18\"}", Structured)]
    [InlineData("[]", "application/cloudevents-batch+json")]
    public async Task A_structured_body_that_holds_no_single_event_is_400(string body, string contentType)
    {
        await using var host = await FunctionHost.StartAsync<OrderFunction>();

        using var response = await host.PostAsync("/", body, contentType);

        await AssertRefusedAsync(host, response);
    }

    [Fact]
    public async Task A_GET_is_400_because_it_brings_no_event()
    {
        await using var host = await FunctionHost.StartAsync<OrderFunction>();

        using var response = await host.GetAsync("/");

        await AssertRefusedAsync(host, response);
    }

    [Fact]
    public async Task An_exception_in_the_function_is_500_with_an_empty_body()
    {
        await using var host = await FunctionHost.StartAsync<OrderFunction>();

        using var response = await host.PostAsync("/", """{"item":"poison","count":1}""", Json, Headers());

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsStringAsync(Token));
        Assert.Contains(host.Logs.At(LogLevel.Error), line => line.Exception?.Message == "poison");
    }

    [Fact]
    public async Task A_startup_may_replace_the_formatter_of_the_data_type()
    {
        var tolerant = new JsonSerializerOptions { ReadCommentHandling = JsonCommentHandling.Skip };
        await using var host = await FunctionHost.StartAsync<OrderFunction>(
            new FormatterStartup(new JsonEventFormatter<Order>(tolerant, default)));

        using var response = await host.PostAsync("/", """{"item":"tea","count":2/*two*/}""", Json, Headers());

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(new Order("tea", 2), host.Inbox.Only.Data);
    }

    [Fact]
    public async Task A_startup_may_bring_the_formatter_that_the_data_type_lacks()
    {
        await using var host = await FunctionHost.StartAsync<UnformattedFunction>(
            new FormatterStartup(new JsonEventFormatter<Unformatted>()));

        using var response = await host.PostAsync("/", """{"Item":"tea"}""", Json, Headers());

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(new Unformatted("tea"), host.Inbox.Only.Data);
    }

    [Fact]
    public async Task Without_any_formatter_every_request_is_500_and_the_log_says_why()
    {
        await using var host = await FunctionHost.StartAsync<UnformattedFunction>();

        using var first = await host.PostAsync("/", """{"Item":"tea"}""", Json, Headers());
        using var second = await host.PostAsync("/", """{"Item":"tea"}""", Json, Headers());

        Assert.Equal(HttpStatusCode.InternalServerError, first.StatusCode);
        Assert.Equal(HttpStatusCode.InternalServerError, second.StatusCode);
        Assert.Equal(2, host.Logs.At(LogLevel.Error).Count(line => line.Exception is InvalidOperationException));
    }

    [Fact]
    public async Task The_token_ends_when_the_sender_gives_up()
    {
        var signals = new SignalStartup();
        await using var host = await FunctionHost.StartAsync<WaitingFunction>(signals);
        using var impatience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/");
        foreach (var (name, value) in Headers())
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        var answer = host.Client.SendAsync(request, impatience.Token);
        await signals.Started.Task.WithPatience();
        await impatience.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
        await signals.Ended.Task.WithPatience();
    }

    [Theory]
    [InlineData("ce-specversion", "1.0", true, false)]
    [InlineData("Content-Type", "application/cloudevents+json", true, false)]
    [InlineData("Content-Type", "application/cloudevents; charset=utf-8", true, false)]
    [InlineData("Content-Type", "application/cloudevents-batch+json", false, true)]
    [InlineData("Content-Type", "application/json", false, false)]
    [InlineData("ce-id", "17", false, false)]
    public void Events_and_batches_are_told_apart_by_their_headers(
        string name, string value, bool isEvent, bool isBatch)
    {
        var request = new DefaultHttpContext().Request;

        request.Headers[name] = value;

        Assert.Equal(isEvent, request.IsCloudEvent());
        Assert.Equal(isBatch, request.IsCloudEventBatch());
    }

    [Fact]
    public async Task A_declared_extension_attribute_is_validated()
    {
        var count = CloudEventAttribute.CreateExtension("count", CloudEventAttributeType.Integer);
        var request = new DefaultHttpContext().Request;
        foreach (var (name, value) in Headers(("ce-count", "7")))
        {
            request.Headers[name] = value;
        }

        var cloudEvent = await request.ToCloudEventAsync(new JsonEventFormatter(), count);

        Assert.Equal(7, cloudEvent[count]);
    }

    /// <summary>The headers of a complete binary event, and more.</summary>
    internal static (string Name, string Value)[] Headers(params (string Name, string Value)[] more) =>
    [
        ("ce-specversion", "1.0"),
        ("ce-id", "17"),
        ("ce-type", "shop.order"),
        ("ce-source", "//shop/tills/3"),
        .. more,
    ];

    private static async Task AssertRefusedAsync(FunctionHost host, HttpResponseMessage response)
    {
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsStringAsync(Token));
        Assert.Empty(host.Inbox.Events);
        var line = Assert.Single(host.Logs.At(LogLevel.Error));
        Assert.Contains("CloudEventAdapter", line.Category, StringComparison.Ordinal);
        Assert.NotEmpty(line.Message);
    }

    private sealed class WaitingFunction(SignalStartup signals) : ICloudEventFunction
    {
        public async Task HandleAsync(CloudEvent cloudEvent, CancellationToken cancellationToken)
        {
            signals.Started.SetResult();
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                signals.Ended.SetResult();
                throw;
            }
        }
    }

    private sealed class SignalStartup : FunctionsStartup
    {
        public TaskCompletionSource Started { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override void ConfigureServices(WebHostBuilderContext context, IServiceCollection services) =>
            services.AddSingleton(this);
    }

    private sealed class FormatterStartup(CloudEventFormatter formatter) : FunctionsStartup
    {
        public override void ConfigureServices(WebHostBuilderContext context, IServiceCollection services) =>
            services.AddSingleton(formatter);
    }
}
