using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Pipeline.Tests.Telemetry;

/// <summary>A function in a process of its own, as Cloud Run starts it.</summary>
internal sealed class FunctionProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task<string> _output;

    private FunctionProcess(Process process, Uri address)
    {
        (_process, Address) = (process, address);
        _output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
    }

    public Uri Address { get; }

    /// <param name="settings">Configuration, as environment variables.</param>
    public static async Task<FunctionProcess> StartAsync(string function, IReadOnlyDictionary<string, string?> settings)
    {
        var port = FreePort();
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, $"{function}.dll")])
        {
            RedirectStandardOutput = true,
            WorkingDirectory = AppContext.BaseDirectory,
        };
        start.Environment["PORT"] = $"{port}";
        foreach (var (name, value) in settings)
        {
            start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        var process = new FunctionProcess(
            Process.Start(start) ?? throw new InvalidOperationException("dotnet does not start"),
            new Uri($"http://127.0.0.1:{port}"));
        await process.WaitAsync();
        return process;
    }

    /// <summary>Asks the process to stop, as Cloud Run does before it takes an instance away.</summary>
    /// <returns>All that it wrote to standard output.</returns>
    public async Task<string> TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken)
            .WithPatience();
        return await _output;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
    }

    private Task WaitAsync() => Patience.UntilAsync(
        async () =>
        {
            Assert.False(_process.HasExited, "the function ended before it listened");
            using var probe = new TcpClient();
            try
            {
                await probe.ConnectAsync(IPAddress.Loopback, Address.Port, TestContext.Current.CancellationToken);
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        },
        () => "the function does not listen");

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
