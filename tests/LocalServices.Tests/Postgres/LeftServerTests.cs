using System.Diagnostics;
using System.Runtime.InteropServices;
using FeedbackLoop.Testing;
using Npgsql;

namespace FeedbackLoop.Local.Postgres;

/// <summary>
/// What a killed process leaves of its cluster is found and ended by the next one, and nothing else is.
/// </summary>
public sealed class LeftServerTests : IDisposable
{
    private const string Directory = "LEFT_SERVER_DIRECTORY";
    private const string Ready = "LEFT_SERVER_READY";
    private const int Killed = 9;

    private readonly DirectoryInfo _notes = System.IO.Directory.CreateTempSubdirectory("left-server-notes-");
    private readonly DirectoryInfo _cluster = System.IO.Directory.CreateTempSubdirectory("left-server-");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _notes.Delete(recursive: true);
        if (_cluster.Exists)
        {
            _cluster.Delete(recursive: true);
        }
    }

    /// <summary>The process that is killed: the tests start it in a program of its own.</summary>
    [Fact(Explicit = true)]
    public async Task Serves_until_it_is_killed()
    {
        var directory = Environment.GetEnvironmentVariable(Directory);
        var postgres = await LocalPostgres.StartAsync(
            new() { Directory = directory is "" ? null : directory, IsDurable = true }, Stop);
        await postgres.CreateDatabaseAsync("kept", template: null, Stop);
        var ready = Environment.GetEnvironmentVariable(Ready)!; // set by whoever starts this
        await File.WriteAllTextAsync(ready + ".new", postgres.ConnectionString("postgres"), Stop);
        File.Move(ready + ".new", ready);
        await Task.Delay(Timeout.Infinite, Stop);
    }

    [Fact]
    public async Task The_server_of_a_killed_process_is_ended_and_its_databases_are_there_again()
    {
        var left = await StartAndKillAsync(_cluster.FullName);
        Assert.True(IsAlive(left.Pid));

        await using var postgres = await LocalPostgres.StartAsync(new() { Directory = _cluster.FullName }, Stop);

        Assert.False(IsAlive(left.Pid));
        Assert.True(await postgres.HasDatabaseAsync("kept", Stop));
    }

    [Fact]
    public async Task A_folder_that_a_living_process_uses_is_refused_with_its_name_and_its_server_goes_on()
    {
        var (process, server) = await StartAsync(_cluster.FullName);
        using (process)
        {
            var refused = await Assert.ThrowsAsync<LocalPostgresException>(
                () => LocalPostgres.StartAsync(new() { Directory = _cluster.FullName }, Stop));

            Assert.StartsWith($"Another process uses the database in {_cluster.FullName}. ", refused.Message, StringComparison.Ordinal);
            Assert.True(IsAlive(server.Pid));
            await KillAsync(process);
        }

        await using var postgres = await LocalPostgres.StartAsync(new() { Directory = _cluster.FullName }, Stop);
        Assert.False(IsAlive(server.Pid));
    }

    [Fact]
    public async Task A_pid_file_from_before_a_restart_of_the_machine_stops_nobody()
    {
        await (await LocalPostgres.StartAsync(new() { Directory = _cluster.FullName }, Stop)).DisposeAsync();

        // By now the number belongs to another program of the same account.
        using var innocent = Process.Start(new ProcessStartInfo("sleep", ["3600"]) { UserName = AccountOfPostgres() })!;
        await File.WriteAllTextAsync(
            Path.Combine(_cluster.FullName, "data", "postmaster.pid"),
            $"{innocent.Id}\n{_cluster.FullName}/data\n1700000000\n5432\n\n127.0.0.1\n  5432001         7\nready   \n", Stop);

        await (await LocalPostgres.StartAsync(new() { Directory = _cluster.FullName }, Stop)).DisposeAsync();

        Assert.False(innocent.HasExited);
        innocent.Kill();
        await innocent.WaitForExitAsync(Stop);
    }

    [Fact]
    public async Task A_cluster_that_was_not_finished_is_begun_anew()
    {
        var half = System.IO.Directory.CreateDirectory(Path.Combine(_cluster.FullName, "data.new"));
        await File.WriteAllTextAsync(Path.Combine(half.FullName, "PG_VERSION"), "15\n", Stop);

        await using var postgres = await LocalPostgres.StartAsync(new() { Directory = _cluster.FullName }, Stop);

        Assert.False(await postgres.HasDatabaseAsync("kept", Stop));
    }

    [Fact]
    public async Task The_throw_away_cluster_of_a_killed_process_is_removed_by_the_next_one()
    {
        var left = await StartAndKillAsync(directory: "");
        var folder = Path.GetDirectoryName(left.Data)!; // below the temporary folder
        Assert.True(IsAlive(left.Pid));

        await using var postgres = await LocalPostgres.StartAsync(new(), Stop);

        // Another test program on this machine may have been faster and not be done yet.
        await Patience.UntilAsync(
            () => !IsAlive(left.Pid) && !System.IO.Directory.Exists(folder), () => $"{folder} or process {left.Pid} is still there");
    }

    private async Task<Server> StartAndKillAsync(string directory)
    {
        var (process, server) = await StartAsync(directory);
        using (process)
        {
            await KillAsync(process);
        }

        return server;
    }

    private async Task<(Process Process, Server Server)> StartAsync(string directory)
    {
        var ready = Path.Combine(_notes.FullName, Path.GetRandomFileName());
        var start = new ProcessStartInfo(
            Environment.ProcessPath!, // a test program is a program
            ["-noColor", "-explicit", "only", "-method", $"*{nameof(Serves_until_it_is_killed)}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[Directory] = directory;
        start.Environment[Ready] = ready;
        var process = Process.Start(start)!;
        await Patience.UntilAsync(() => File.Exists(ready) || process.HasExited, () => "the process starts no server");
        Assert.False(process.HasExited, "the process ended");
        await using var database = NpgsqlDataSource.Create(await File.ReadAllTextAsync(ready, Stop) + ";Pooling=false");
        await using var command = database.CreateCommand(
            "select current_setting('data_directory'), split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int");
        await using var reader = await command.ExecuteReaderAsync(Stop);
        await reader.ReadAsync(Stop);
        return (process, new Server(reader.GetString(0), reader.GetInt32(1)));
    }

    private static async Task KillAsync(Process process)
    {
        Assert.Equal(0, Kill(process.Id, Killed));
        await process.WaitForExitAsync(Stop);
    }

    // One that has ended and that nobody has taken note of counts as ended: it has no command line any more.
    private static bool IsAlive(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Length > 0;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static string AccountOfPostgres() =>
        Environment.UserName == "root"
            ? new[] { "postgres", "nobody" }.First(name => File.ReadLines("/etc/passwd").Any(line => line.StartsWith($"{name}:", StringComparison.Ordinal)))
            : Environment.UserName;

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int processId, int signal);

    private sealed record Server(string Data, int Pid);
}
