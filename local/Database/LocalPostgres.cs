using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Npgsql;

namespace FeedbackLoop.Local;

/// <summary>How a private cluster is started.</summary>
public sealed class LocalPostgresOptions
{
    /// <summary>
    /// Folder of the cluster, kept when the server stops. Null: a temporary one, removed at the end; in memory where there is
    /// plenty of it.
    /// </summary>
    public string? Directory { get; init; }

    /// <summary>Folder of <c>postgres</c> and <c>initdb</c>. Null: found or fetched by <see cref="PostgresBinaries"/>.</summary>
    public string? BinDirectory { get; init; }

    /// <summary>Whether commits are written through to the disk. Off for throw-away clusters.</summary>
    public bool IsDurable { get; init; }
}

/// <summary>
/// A private PostgreSQL server on loopback, a child of this process. The superuser is <c>postgres</c>; the chain connects as
/// <c>app</c> and the admin API as <c>app_api</c>, which own nothing and do not bypass row security.
/// </summary>
public sealed class LocalPostgres : IAsyncDisposable
{
    private readonly Process _server;
    private readonly string _directory;
    private readonly bool _isTemporary;
    private readonly int _port;

    private LocalPostgres(Process server, string directory, bool isTemporary, int port)
    {
        (_server, _directory, _isTemporary, _port) = (server, directory, isTemporary, port);
        AppDomain.CurrentDomain.ProcessExit += StopAtExit;
    }

    /// <summary>Connection string of a database for <paramref name="user"/>: <c>postgres</c>, <c>app</c> or <c>app_api</c>.</summary>
    public string ConnectionString(string database, string user = "postgres") =>
        new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = _port,
            Username = user,
            Database = database,
            IncludeErrorDetail = true,
            MaxPoolSize = 20,
        }.ConnectionString;

    public static async Task<LocalPostgres> StartAsync(LocalPostgresOptions options, CancellationToken cancellationToken)
    {
        var bin = options.BinDirectory ?? PostgresBinaries.FindOrInstall();
        var directory = options.Directory ?? TemporaryDirectory();
        var account = UnprivilegedAccount.Find();
        var data = Path.Combine(directory, "data");
        System.IO.Directory.CreateDirectory(directory);
        account?.TakeOver(directory);

        if (!File.Exists(Path.Combine(data, "PG_VERSION")))
        {
            await InitializeAsync(bin, data, account, directory, cancellationToken);
        }

        // A server that was killed leaves its pid file; PostgreSQL itself checks whether that process still lives.
        var port = FreePort();
        List<string> arguments =
        [
            "-D", data, "-p", $"{port}", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
            "-c", "max_connections=200", "-c", "timezone=UTC", "-c", "shared_buffers=256MB", "-c", "max_wal_size=2GB",
        ];
        if (!options.IsDurable)
        {
            arguments.AddRange(["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]);
        }

        var server = Process.Start(StartInfo(Path.Combine(bin, "postgres"), arguments, account, directory))!;
        var log = new LogTail();
        server.OutputDataReceived += (_, e) => log.Add(e.Data);
        server.ErrorDataReceived += (_, e) => log.Add(e.Data);
        server.BeginOutputReadLine();
        server.BeginErrorReadLine();

        var postgres = new LocalPostgres(server, directory, options.Directory is null, port);
        await postgres.WaitUntilReadyAsync(log, cancellationToken);
        return postgres;
    }

    /// <summary>Whether the account that would run the server can get to a folder.</summary>
    public static bool CanUse(string directory) => UnprivilegedAccount.Find() is null || UnprivilegedAccount.FindObstacle(directory) is null;

    /// <summary>Creates a database, empty or as a copy of <paramref name="template"/>, which nobody may be connected to.</summary>
    public async Task CreateDatabaseAsync(string name, string? template, CancellationToken cancellationToken)
    {
        var copy = template is null ? "" : $" template \"{template}\" strategy file_copy";
        await ExecuteAsync($"create database \"{name}\"{copy}", cancellationToken);
    }

    public Task DropDatabaseAsync(string name, CancellationToken cancellationToken) =>
        ExecuteAsync($"drop database if exists \"{name}\" with (force)", cancellationToken);

    public async Task<bool> HasDatabaseAsync(string name, CancellationToken cancellationToken)
    {
        await using var database = NpgsqlDataSource.Create(Unpooled("postgres"));
        await using var command = database.CreateCommand("select exists (select 1 from pg_database where datname = $1)");
        command.Parameters.AddWithValue(name);
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= StopAtExit;
        NpgsqlConnection.ClearAllPools();
        if (!_server.HasExited)
        {
            Signal(FastShutdown);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            try
            {
                await _server.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                Signal(ImmediateShutdown);
                await _server.WaitForExitAsync(CancellationToken.None);
            }
        }

        _server.Dispose();
        if (_isTemporary)
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    // Copying a database on a disk costs ten times what it does in memory, and tests copy one each. The memory is the
    // machine's own, so a small one (64 MiB in most containers) is left alone.
    private static string TemporaryDirectory()
    {
        const string memory = "/dev/shm";
        const long plenty = 4L << 30;
        const string prefix = "feedbackloop-pg-";
        return Directory.Exists(memory) && new DriveInfo(memory).AvailableFreeSpace >= plenty
            ? Directory.CreateDirectory(Path.Combine(memory, prefix + Path.GetRandomFileName())).FullName
            : Directory.CreateTempSubdirectory(prefix).FullName;
    }

    private static async Task InitializeAsync(
        string bin, string data, UnprivilegedAccount? account, string directory, CancellationToken cancellationToken)
    {
        string[] arguments =
            ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
        using var initdb = Process.Start(StartInfo(Path.Combine(bin, "initdb"), arguments, account, directory))!;
        var output = initdb.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = await initdb.StandardError.ReadToEndAsync(cancellationToken);
        await initdb.WaitForExitAsync(cancellationToken);
        if (initdb.ExitCode != 0)
        {
            throw new InvalidOperationException($"{bin}/initdb failed with {initdb.ExitCode}: {error}{await output}");
        }
    }

    private static ProcessStartInfo StartInfo(
        string program, IEnumerable<string> arguments, UnprivilegedAccount? account, string directory)
    {
        // The account must be able to stand in its working directory.
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (account is not null)
        {
            start.UserName = account.Name;
        }

        start.Environment["LC_MESSAGES"] = "C";
        start.Environment.Remove("PGDATA");
        start.Environment.Remove("PGPORT");
        return start;
    }

    private async Task WaitUntilReadyAsync(LogTail log, CancellationToken cancellationToken)
    {
        await using var database = NpgsqlDataSource.Create(Unpooled("postgres") + ";Timeout=2");
        for (var attempt = 0; ; attempt++)
        {
            if (_server.HasExited)
            {
                throw new InvalidOperationException($"postgres in {_directory} stopped at once: {log}");
            }

            try
            {
                await using var connection = await database.OpenConnectionAsync(cancellationToken);
                return;
            }
            catch (NpgsqlException) when (attempt < 1000)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(30), cancellationToken);
            }
        }
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var database = NpgsqlDataSource.Create(Unpooled("postgres"));
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private string Unpooled(string database) => ConnectionString(database) + ";Pooling=false";

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void StopAtExit(object? sender, EventArgs e)
    {
        if (!_server.HasExited)
        {
            Signal(FastShutdown);
            _server.WaitForExit(TimeSpan.FromSeconds(5));
        }
    }

    private const int FastShutdown = 2;
    private const int ImmediateShutdown = 3;

    private void Signal(int signal) => _ = Kill(_server.Id, signal);

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int processId, int signal);

    /// <summary>The last lines that the server wrote, for the message of a failed start.</summary>
    private sealed class LogTail
    {
        private readonly Queue<string> _lines = new();

        public void Add(string? line)
        {
            if (line is null)
            {
                return;
            }

            lock (_lines)
            {
                _lines.Enqueue(line);
                if (_lines.Count > 20)
                {
                    _lines.Dequeue();
                }
            }
        }

        public override string ToString()
        {
            lock (_lines)
            {
                return string.Join('\n', _lines);
            }
        }
    }
}
