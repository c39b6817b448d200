using Google.Cloud.Functions.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace FunctionsFramework.Tests;

public sealed class TargetTests
{
    private const string PortKey = "FunctionsFramework:Port";
    private const string TargetKey = "FunctionsFramework:FunctionTarget";

    [Fact]
    public async Task A_target_that_the_assembly_lacks_stops_the_start()
    {
        var e = await Assert.ThrowsAsync<InvalidOperationException>(
            () => EntryPoint.StartAsync(typeof(TargetTests).Assembly, ["No.Such.Function"]));

        Assert.StartsWith("Can't load specified function type 'No.Such.Function'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Several_functions_and_no_target_stop_the_start()
    {
        var e = await Assert.ThrowsAsync<ArgumentException>(
            () => EntryPoint.StartAsync(typeof(TargetTests).Assembly, []));

        Assert.StartsWith("Multiple Cloud Function types found", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_function_stops_the_start()
    {
        var e = await Assert.ThrowsAsync<ArgumentException>(() => EntryPoint.StartAsync(typeof(Assert).Assembly, []));

        Assert.StartsWith("No valid Cloud Function types found.", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(typeof(TargetTests))]
    [InlineData(typeof(TwoTypesFunction))]
    public async Task A_class_that_is_no_function_or_two_stops_the_start(Type type) =>
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => EntryPoint.StartAsync(type.Assembly, ["--target", type.FullName ?? ""]));

    [Fact]
    public void A_type_that_is_no_function_cannot_be_registered() =>
        Assert.Throws<InvalidOperationException>(() => new ServiceCollection().AddFunctionTarget<TargetTests>());

    [Theory]
    [InlineData(new[] { "My.Function" }, "My.Function", null)]
    [InlineData(new[] { "--target", "My.Function" }, "My.Function", null)]
    [InlineData(new[] { "--target=My.Function", "--port=81" }, "My.Function", "81")]
    [InlineData(new[] { "--port", "81" }, null, "81")]
    [InlineData(new[] { "--FunctionsFramework:Port=81" }, null, "81")]
    [InlineData(new string[] { }, null, null)]
    public void The_command_line_names_target_and_port(string[] args, string? target, string? port)
    {
        var configuration = new ConfigurationBuilder().AddFunctionsCommandLine(args).Build();

        Assert.Equal(target, configuration[TargetKey]);
        Assert.Equal(port, configuration[PortKey]);
    }

    [Fact]
    public void The_environment_sets_the_address_over_what_came_before_and_the_command_line_over_the_environment()
    {
        const string key = "FunctionsFramework:Address";
        var builder = new ConfigurationBuilder().AddInMemoryCollection([new(key, "10.0.0.1")]);

        Assert.Equal("Loopback", builder.AddFunctionsEnvironment().Build()[key]);
        Assert.Equal("Any", builder.AddFunctionsCommandLine([$"--{key}=Any"]).Build()[key]);
    }
}
