using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using FeedbackLoop.Testing;

namespace FunctionsFramework.Tests;

/// <summary>The sample deployable in a process of its own, with the environment that a test gives it.</summary>
internal sealed class SampleProcess : IAsyncDisposable
{
    // Linux hands out ports from 32768 on, so no connection of another test takes one of these meanwhile.
    private static int _lastPort = 20_000 + (Environment.ProcessId % 10_000);

    private readonly Process _process;
    private readonly Channel<string> _output = Channel.CreateUnbounded<string>();
    private readonly List<string> _read = [];

    private SampleProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Receive(line.Data);
        process.ErrorDataReceived += (_, line) => Receive(line.Data);
    }

    /// <summary>Every line read so far.</summary>
    public IReadOnlyList<string> Read => _read;

    public static SampleProcess Start(string[] args, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Sample.HelloFunction).Assembly.Location, .. args])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = AppContext.BaseDirectory,
        };
        foreach (var inherited in new[] { "PORT", "FUNCTION_TARGET", "K_SERVICE", "DOTNET_RUNNING_IN_CONTAINER" })
        {
            start.Environment.Remove(inherited);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var sample = new SampleProcess(new Process { StartInfo = start });
        sample._process.Start();
        sample._process.BeginOutputReadLine();
        sample._process.BeginErrorReadLine();
        return sample;
    }

    public static int FindFreePort()
    {
        while (true)
        {
            var port = Interlocked.Increment(ref _lastPort);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // The next one, then.
            }
        }
    }

    /// <summary>The next line with this text in it.</summary>
    public async Task<string> ReadUntilAsync(string text)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(Patience.Limit);
        try
        {
            await foreach (var line in _output.Reader.ReadAllAsync(timeout.Token))
            {
                _read.Add(line);
                if (line.Contains(text, StringComparison.Ordinal))
                {
                    return line;
                }
            }
        }
        catch (OperationCanceledException)
        {
            _read.Add("(timed out)");
        }

        throw new InvalidOperationException($"No line with '{text}':\n{string.Join('\n', _read)}");
    }

    /// <summary>Asks the process to stop, as Cloud Run does.</summary>
    public async Task TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    public async Task<int> WaitForExitAsync()
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken)
            .WithPatience();
        return _process.ExitCode;
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

    private void Receive(string? line)
    {
        if (line is not null)
        {
            _output.Writer.TryWrite(line);
        }
    }
}
