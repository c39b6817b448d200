using System.Globalization;
using System.Net;
using Google.Cloud.Functions.Framework;
using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FunctionsFramework.Tests;

public sealed class TypedFunctionTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_request_and_the_response_are_JSON_with_the_names_of_the_types()
    {
        await using var host = await FunctionHost.StartAsync<SumFunction>();

        using var response = await host.PostAsync("/", """{"Left":1,"Right":2}""", "application/json");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("""{"Sum":3}""", await response.Content.ReadAsStringAsync(Token));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    public async Task A_request_that_cannot_be_read_is_400_with_the_reason_in_the_log_only(string body)
    {
        await using var host = await FunctionHost.StartAsync<SumFunction>();

        using var response = await host.PostAsync("/", body, "application/json");

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsStringAsync(Token));
        Assert.NotEmpty(Assert.Single(host.Logs.At(LogLevel.Error)).Message);
    }

    [Fact]
    public async Task An_exception_in_the_function_is_500_with_an_empty_body()
    {
        await using var host = await FunctionHost.StartAsync<SumFunction>();

        using var response = await host.PostAsync("/", """{"Left":2147483647,"Right":1}""", "application/json");

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsStringAsync(Token));
        Assert.Contains(host.Logs.At(LogLevel.Error), line => line.Exception is OverflowException);
    }

    [Fact]
    public async Task A_startup_may_replace_reader_and_writer()
    {
        await using var host = await FunctionHost.StartAsync<SumFunction>(new PlainTextStartup());

        using var response = await host.PostAsync("/", "1 2", "text/plain");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("sum: 3", await response.Content.ReadAsStringAsync(Token));
    }

    [Fact]
    public async Task A_response_that_cannot_be_written_is_500_with_the_reason_in_the_log_only()
    {
        await using var host = await FunctionHost.StartAsync<SumFunction>(new PlainTextStartup());

        using var response = await host.PostAsync("/", "6 7", "text/plain");

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsStringAsync(Token));
        Assert.Equal("Thirteen is unlucky.", Assert.Single(host.Logs.At(LogLevel.Error)).Message);
    }

    private sealed class PlainTextStartup : FunctionsStartup
    {
        public override void ConfigureServices(WebHostBuilderContext context, IServiceCollection services) =>
            services
                .AddSingleton<IHttpRequestReader<Question>, PlainTextReader>()
                .AddSingleton<IHttpResponseWriter<Answer>, PlainTextWriter>();
    }

    private sealed class PlainTextReader : IHttpRequestReader<Question>
    {
        public async Task<Question> ReadRequestAsync(HttpRequest httpRequest)
        {
            using var reader = new StreamReader(httpRequest.Body);
            var text = await reader.ReadToEndAsync(httpRequest.HttpContext.RequestAborted);
            var numbers = Array.ConvertAll(text.Split(' '), number => int.Parse(number, CultureInfo.InvariantCulture));
            return new Question(numbers[0], numbers[1]);
        }
    }

    private sealed class PlainTextWriter : IHttpResponseWriter<Answer>
    {
        public Task WriteResponseAsync(HttpResponse httpResponse, Answer functionResponse) =>
            functionResponse.Sum == 13
                ? throw new InvalidOperationException("Thirteen is unlucky.")
                : httpResponse.WriteAsync($"sum: {functionResponse.Sum}", httpResponse.HttpContext.RequestAborted);
    }
}
