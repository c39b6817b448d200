using System.Diagnostics;
using System.Text;

namespace FeedbackLoop.SqlMutation;

/// <summary>Runs other programs to their end.</summary>
internal static class Programs
{
    public const int TimedOut = -1;

    /// <returns>The exit code, or <see cref="TimedOut"/> after <paramref name="limit"/>, and what was
    /// written.</returns>
    public static (int Code, string Output) Run(
        string folder, string program, IEnumerable<string> arguments, TimeSpan? limit = null,
        params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} does not start");
        var output = new StringBuilder();
        process.OutputDataReceived += (_, line) => Append(line.Data);
        process.ErrorDataReceived += (_, line) => Append(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!process.WaitForExit(limit ?? Timeout.InfiniteTimeSpan))
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            return (TimedOut, output.ToString());
        }

        process.WaitForExit();
        return (process.ExitCode, output.ToString());

        void Append(string? line)
        {
            lock (output)
            {
                output.AppendLine(line);
            }
        }
    }
}
