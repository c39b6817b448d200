using System.Diagnostics;
using System.Text;
using System.Text.Json;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Cli;

/// <summary>What the program left behind.</summary>
internal sealed record CommandResult(int ExitCode, string Output, string Error)
{
    /// <summary>The one object that <c>--json</c> writes; anything else on stdout fails the test.</summary>
    public JsonElement Json
    {
        get
        {
            Assert.Equal("", Error);
            Assert.Equal(1, Output.Count(c => c == '\n'));
            return JsonLines.Single();
        }
    }

    /// <summary>The documents of <c>--watch --json</c>, one a line; anything else on stdout fails the test.</summary>
    public IReadOnlyList<JsonElement> JsonLines
    {
        get
        {
            Assert.EndsWith("\n", Output, StringComparison.Ordinal);
            return [.. Output.TrimEnd('\n').Split('\n').Select(Parse)];
        }
    }

    private static JsonElement Parse(string line)
    {
        using var document = JsonDocument.Parse(line);
        return document.RootElement.Clone();
    }
}

/// <summary><c>feedbackloop</c> as a process of its own, its output redirected.</summary>
internal sealed class FeedbackloopProcess : IDisposable
{
    // What the machine has set must not decide a test.
    private static readonly string[] Sections = ["Database", "GoogleCloud", "BaseModels", "Tuning", "Export"];
    private static readonly string[] Variables =
        ["DATABASE_URL", "STORAGE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS"];

    private readonly Process _process;
    private readonly StringBuilder _written = new();
    private readonly Task<string> _output;
    private readonly Task<string> _error;

    private FeedbackloopProcess(Process process)
    {
        _process = process;
        _output = ReadOutputAsync(process.StandardOutput);
        _error = process.StandardError.ReadToEndAsync();
    }

    /// <summary>How the program is started: <c>dotnet</c> and its assembly.</summary>
    public static IReadOnlyList<string> Program { get; } = ["dotnet", typeof(CommandRunner).Assembly.Location];

    public static Task<CommandResult> RunAsync(string? database, string input, params string[] args) =>
        RunAsync(Environment(database), input, args);

    public static async Task<CommandResult> RunAsync(
        IReadOnlyDictionary<string, string?> environment, string input, params string[] args)
    {
        using var process = Start(environment, [.. Program, .. args]);
        await process._process.StandardInput.WriteAsync(input);
        process._process.StandardInput.Close();
        return await process.WaitAsync();
    }

    public static Dictionary<string, string?> Environment(string? database) => new() { ["DATABASE_URL"] = database };

    /// <summary>Any program, with the variables of <c>feedbackloop</c> set to exactly these.</summary>
    public static FeedbackloopProcess Start(
        IReadOnlyDictionary<string, string?> environment, IEnumerable<string> program)
    {
        var start = new ProcessStartInfo(program.First(), program.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(name =>
            Variables.Contains(name) || Sections.Any(s => name.StartsWith(s + "__", StringComparison.Ordinal))).ToList())
        {
            start.Environment.Remove(name);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new FeedbackloopProcess(Process.Start(start)!);
    }

    /// <summary>As Ctrl-C does it.</summary>
    public void Interrupt()
    {
        using var kill = Process.Start("kill", ["-INT", $"{_process.Id}"]);
        kill.WaitForExit();
    }

    public Task TypeAsync(string text) => _process.StandardInput.WriteAsync(text);

    /// <summary>Waits until the program has written a text, which it must while it runs.</summary>
    public Task WaitForOutputAsync(string text) => Patience.UntilAsync(
        () =>
        {
            // Looked at first: what is written before the end is there by then.
            var hasEnded = _output.IsCompleted;
            var isThere = Written().Contains(text, StringComparison.Ordinal);
            Assert.False(hasEnded && !isThere, $"the program ended without \"{text}\": {Written()}");
            return isThere;
        },
        () => $"the program has not written \"{text}\": {Written()}");

    public async Task<CommandResult> WaitAsync()
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return new CommandResult(_process.ExitCode, await _output, await _error);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private async Task<string> ReadOutputAsync(StreamReader output)
    {
        var part = new char[4096];
        while (await output.ReadAsync(part) is > 0 and var length)
        {
            lock (_written)
            {
                _written.Append(part, 0, length);
            }
        }

        return Written();
    }

    private string Written()
    {
        lock (_written)
        {
            return _written.ToString();
        }
    }
}
