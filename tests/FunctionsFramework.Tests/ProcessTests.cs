using System.Net;
using System.Text;
using System.Text.Json;

namespace FunctionsFramework.Tests;

public sealed class ProcessTests
{
    private const string Hello = "Sample.HelloFunction";
    private const string PushFunction = "Sample.PushFunction";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PORT_and_FUNCTION_TARGET_decide_what_is_served_and_where()
    {
        var port = SampleProcess.FindFreePort();
        await using var process = SampleProcess.Start(
            [],
            ("PORT", $"{port}"), ("FUNCTION_TARGET", Hello), ("ASPNETCORE_URLS", "http://127.0.0.1:1"));

        var serving = await process.ReadUntilAsync("Serving function");
        await process.ReadUntilAsync($"Now listening on: http://127.0.0.1:{port}");
        var answer = await GetAsync(port, "/world");

        Assert.EndsWith(
            $"[Google.Cloud.Functions.Hosting.EntryPoint] [info] Serving function {Hello}", serving,
            StringComparison.Ordinal);
        Assert.Equal("hello /world", answer);
        Assert.DoesNotContain(process.Read, line => line.Contains("Overriding address", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_command_line_wins_over_the_environment()
    {
        var port = SampleProcess.FindFreePort();
        await using var process = SampleProcess.Start(
            ["--target", Hello, "--port", $"{port}"],
            ("PORT", "1"), ("FUNCTION_TARGET", PushFunction));

        await process.ReadUntilAsync($"Serving function {Hello}");
        await process.ReadUntilAsync($"Now listening on: http://127.0.0.1:{port}");

        Assert.Equal("hello /", await GetAsync(port, "/"));
    }

    [Fact]
    public async Task A_push_is_read_without_reflection_and_logged_as_JSON_on_Cloud_Run()
    {
        var port = SampleProcess.FindFreePort();
        await using var process = SampleProcess.Start([PushFunction], ("PORT", $"{port}"), ("K_SERVICE", "sample"));
        await process.ReadUntilAsync("Now listening on");

        var status = await PushAsync(port, """{"message":{"messageId":"68","data":"dGVh"},"subscription":"s"}""");

        Assert.Equal(HttpStatusCode.OK, status);
        using var line = JsonDocument.Parse(await process.ReadUntilAsync("Received"));
        var log = line.RootElement;
        Assert.Equal("Received tea from orders", log.GetProperty("message").GetString());
        Assert.Equal(PushFunction, log.GetProperty("category").GetString());
        Assert.Equal("INFO", log.GetProperty("severity").GetString());
        Assert.Equal("tea", log.GetProperty("format_parameters").GetProperty("Text").GetString());
        Assert.Contains(
            log.GetProperty("scopes").EnumerateArray(),
            scope => scope.TryGetProperty("MessageId", out var id) && id.GetString() == "68");
    }

    [Fact]
    public async Task A_refusal_is_one_line_of_JSON_with_its_exception()
    {
        var port = SampleProcess.FindFreePort();
        await using var process = SampleProcess.Start([PushFunction], ("PORT", $"{port}"), ("K_SERVICE", "sample"));
        await process.ReadUntilAsync("Now listening on");

        var status = await PushAsync(port, "{}");

        Assert.Equal(HttpStatusCode.BadRequest, status);
        using var line = JsonDocument.Parse(await process.ReadUntilAsync("CloudEventAdapter"));
        Assert.Equal("ERROR", line.RootElement.GetProperty("severity").GetString());
        var exception = line.RootElement.GetProperty("exception").GetString();
        Assert.StartsWith("System.IO.InvalidDataException", exception, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_listens_on_every_address()
    {
        var port = SampleProcess.FindFreePort();
        await using var process = SampleProcess.Start(
            [Hello], ("PORT", $"{port}"), ("DOTNET_RUNNING_IN_CONTAINER", "TRUE"));

        await process.ReadUntilAsync($"Now listening on: http://0.0.0.0:{port}");

        Assert.Equal("hello /", await GetAsync(port, "/"));
    }

    [Fact]
    public async Task A_process_that_is_asked_to_stop_ends_with_zero()
    {
        await using var process = SampleProcess.Start([Hello], ("PORT", "0"));
        await process.ReadUntilAsync("Application started");

        await process.TerminateAsync();

        Assert.Equal(0, await process.WaitForExitAsync());
    }

    [Fact]
    public async Task A_process_without_a_target_among_several_aborts()
    {
        await using var process = SampleProcess.Start([], ("PORT", "0"), ("FUNCTION_TARGET", " "));

        await process.ReadUntilAsync("Multiple Cloud Function types found");

        Assert.Equal(134, await process.WaitForExitAsync());
    }

    [Fact]
    public async Task A_target_that_only_configuration_names_needs_the_same_startups()
    {
        await using var process = SampleProcess.Start(
            [], ("PORT", "0"), ("FunctionsFramework__FunctionTarget", PushFunction));

        await process.ReadUntilAsync("Mismatch in startup classes");

        Assert.Equal(134, await process.WaitForExitAsync());
    }

    [Fact]
    public async Task A_target_that_only_configuration_names_is_served_when_it_has_no_startups()
    {
        await using var process = SampleProcess.Start(
            [], ("PORT", "0"), ("FunctionsFramework__FunctionTarget", Hello));

        await process.ReadUntilAsync($"Serving function {Hello}");
        await process.ReadUntilAsync("Application started");
    }

    private static async Task<string> GetAsync(int port, string path)
    {
        using var client = new HttpClient();
        return await client.GetStringAsync(new Uri($"http://127.0.0.1:{port}{path}"), Token);
    }

    private static async Task<HttpStatusCode> PushAsync(int port, string body)
    {
        using var client = new HttpClient();
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        var topic = new Uri($"http://127.0.0.1:{port}/projects/demo/topics/orders");
        using var response = await client.PostAsync(topic, content, Token);
        return response.StatusCode;
    }
}
