using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace FeedbackLoop.Local;

/// <summary>
/// A server that outlived the process that had started it, because that one was killed. Whoever holds the lock of the
/// cluster's folder may end it.
/// </summary>
internal static class LeftServer
{
    public const int FastShutdown = 2;
    public const int ImmediateShutdown = 3;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>
    /// Ends the server of a data folder, if there is one. What the pid file names may be another program by now, after
    /// a restart of the machine: that one is left alone, and the file goes, because PostgreSQL would not start beside
    /// it.
    /// </summary>
    /// <exception cref="LocalPostgresException">It does not end.</exception>
    public static async Task EndAsync(string data, CancellationToken cancellationToken)
    {
        var file = Path.Combine(data, "postmaster.pid");
        if (ReadPid(file) is not { } pid)
        {
            return;
        }

        foreach (var signal in (int[])[FastShutdown, ImmediateShutdown])
        {
            if (!IsServerOf(pid, data))
            {
                break;
            }

            _ = Kill(pid, signal);
            var start = Stopwatch.GetTimestamp();
            while (IsServerOf(pid, data) && Stopwatch.GetElapsedTime(start) < Patience)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
            }
        }

        if (IsServerOf(pid, data))
        {
            throw new LocalPostgresException(
                $"PostgreSQL in {data} (process {pid}) was left behind and does not end: end it by 'kill {pid}'.");
        }

        // Of a process that is gone PostgreSQL itself finds out, and looks besides whether others still use its memory.
        if (Kill(pid, signal: 0) == 0)
        {
            File.Delete(file);
        }
    }

    private static int? ReadPid(string file)
    {
        try
        {
            var first = File.ReadLines(file).FirstOrDefault();
            return int.TryParse(first, NumberStyles.Integer, CultureInfo.InvariantCulture, out var pid) && pid > 1
                ? pid
                : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    // By its command line, which names the folder, or by where it stands, which is there: a pid alone says nothing. The
    // command line of a process that has ended and that nobody has taken note of is empty.
    private static bool IsServerOf(int pid, string data)
    {
        if (Directory.Exists("/proc/self"))
        {
            try
            {
                var words = File.ReadAllText($"/proc/{pid}/cmdline").Split('\0');
                return Path.GetFileName(words[0]) == "postgres" && (words.Contains(data) || StandsIn(pid, data));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }

        var start = new ProcessStartInfo("ps", ["-o", "command=", "-p", $"{pid}"]) { RedirectStandardOutput = true };
        using var ps = Process.Start(start)!;
        var command = ps.StandardOutput.ReadToEnd();
        ps.WaitForExit();
        return command.Contains("postgres", StringComparison.Ordinal)
            && command.Contains($"-D {data} ", StringComparison.Ordinal);
    }

    // The folder may have been named by another path.
    private static bool StandsIn(int pid, string data) =>
        new FileInfo($"/proc/{pid}/cwd").LinkTarget is { } stands
        && stands == (Directory.ResolveLinkTarget(data, returnFinalTarget: true)?.FullName ?? data);

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static extern int Kill(int processId, int signal);
}
