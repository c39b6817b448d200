using System.Diagnostics;
using FeedbackLoop.Local;
using Npgsql;

namespace FeedbackLoop.Testing;

/// <summary>PostgreSQL's own client, for which the scripts of <c>infra/database</c> are written.</summary>
public static class Psql
{
    public const string Missing = "psql is not on this machine: apt-get install postgresql-client";

    /// <summary>Null when there is none; npm's copy of PostgreSQL brings only the server.</summary>
    public static string? Find() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Prepend(PostgresBinaries.FindOrInstall())
            .Select(folder => Path.Combine(folder, "psql"))
            .FirstOrDefault(File.Exists);

    /// <summary>Runs a script of <c>infra/database</c> as an operator does.</summary>
    /// <param name="variables">What is given by <c>-v</c>, such as <c>api=feedback_loop_api</c>.</param>
    /// <returns>What it printed, on either stream.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        string connectionString, string script, IEnumerable<string> variables, CancellationToken cancellationToken)
    {
        var psql = Find() ?? throw new InvalidOperationException(Missing);
        var connection = new NpgsqlConnectionStringBuilder(connectionString);
        var start = new ProcessStartInfo(
            psql,
            [
                $"postgresql://{connection.Username}@{connection.Host}:{connection.Port}/{connection.Database}", "--no-psqlrc",
                "-f", Path.Combine(Root(), "infra", "database", script), .. variables.SelectMany(each => new[] { "-v", each }),
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = await process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return (process.ExitCode, await output + error);
    }

    private static string Root()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Functions.sln")))
        {
            directory = directory.Parent
                ?? throw new InvalidOperationException($"Functions.sln is not above {AppContext.BaseDirectory}");
        }

        return directory.FullName;
    }
}
