using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
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
    private const int MostAttempts = 5;

    private readonly Process _server;
    private readonly string _directory;
    private readonly ClusterLock _lock;
    private readonly bool _isTemporary;
    private readonly int _port;

    private LocalPostgres(Process server, string directory, ClusterLock mine, bool isTemporary, int port)
    {
        (_server, _directory, _lock, _isTemporary, _port) = (server, directory, mine, isTemporary, port);
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

    /// <summary>
    /// Starts the server. One that a killed process left behind in the same folder is ended first, and so are the
    /// throw-away clusters of other killed processes.
    /// </summary>
    /// <exception cref="LocalPostgresException">A living process uses the folder, or the server does not
    /// start.</exception>
    public static async Task<LocalPostgres> StartAsync(LocalPostgresOptions options, CancellationToken cancellationToken)
    {
        var bin = options.BinDirectory ?? PostgresBinaries.FindOrInstall();
        var account = UnprivilegedAccount.Find();
        var (directory, mine) = options.Directory is { } chosen
            ? (Path.GetFullPath(chosen), Take(chosen))
            : TemporaryClusters.Create();
        try
        {
            account?.TakeOver(directory);
            if (options.Directory is null)
            {
                await TemporaryClusters.RemoveLeftAsync(cancellationToken);
            }

            var data = Path.Combine(directory, "data");
            await LeftServer.EndAsync(data, cancellationToken);
            if (!File.Exists(Path.Combine(data, "PG_VERSION")))
            {
                await InitializeAsync(bin, data, account, directory, cancellationToken);
            }

            return await StartServerAsync(options, bin, account, directory, mine, cancellationToken);
        }
        catch
        {
            mine.Dispose();
            throw;
        }
    }

    private static ClusterLock Take(string directory)
    {
        System.IO.Directory.CreateDirectory(directory);
        return ClusterLock.TryTake(directory) ?? throw new LocalPostgresException(
            $"Another process uses the database in {directory}. Stop it, or take another folder: ./run --state DIR.");
    }

    private static async Task<LocalPostgres> StartServerAsync(
        LocalPostgresOptions options, string bin, UnprivilegedAccount? account, string directory, ClusterLock mine,
        CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort();
            var server = Process.Start(
                StartInfo(Path.Combine(bin, "postgres"), Arguments(options, directory, port), account, directory))!;
            var log = new LogTail();
            server.OutputDataReceived += (_, e) => log.Add(e.Data);
            server.ErrorDataReceived += (_, e) => log.Add(e.Data);
            server.BeginOutputReadLine();
            server.BeginErrorReadLine();

            var postgres = new LocalPostgres(server, directory, mine, options.Directory is null, port);
            if (await postgres.IsReadyAsync(cancellationToken))
            {
                return postgres;
            }

            // Another program may have taken the port in the meantime, and what a dead server left in memory may take a
            // moment to go.
            await server.WaitForExitAsync(cancellationToken);
            AppDomain.CurrentDomain.ProcessExit -= postgres.StopAtExit;
            server.Dispose();
            var isWorthRepeating = log.Contains("could not bind") || log.Contains("is still in use");
            if (!isWorthRepeating || attempt == MostAttempts)
            {
                throw new LocalPostgresException($"PostgreSQL in {directory} stopped at once: {log}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(500), cancellationToken);
        }
    }

    private static List<string> Arguments(LocalPostgresOptions options, string directory, int port)
    {
        List<string> arguments =
        [
            "-D", Path.Combine(directory, "data"), "-p", $"{port}", "-c", "listen_addresses=127.0.0.1",
            "-c", "unix_socket_directories=", "-c", "max_connections=200", "-c", "timezone=UTC",
            "-c", "shared_buffers=256MB", "-c", "max_wal_size=2GB",
        ];
        if (!options.IsDurable)
        {
            arguments.AddRange(["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]);
        }

        return arguments;
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
            Signal(LeftServer.FastShutdown);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            try
            {
                await _server.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                Signal(LeftServer.ImmediateShutdown);
                await _server.WaitForExitAsync(CancellationToken.None);
            }
        }

        _server.Dispose();
        if (_isTemporary)
        {
            Directory.Delete(_directory, recursive: true);
        }

        _lock.Dispose();
    }

    private static async Task InitializeAsync(
        string bin, string data, UnprivilegedAccount? account, string directory, CancellationToken cancellationToken)
    {
        // It gets its name when it is complete: who is killed in the middle of it leaves nothing that looks like a
        // cluster.
        var unfinished = data + ".new";
        if (Directory.Exists(unfinished))
        {
            Directory.Delete(unfinished, recursive: true);
        }

        string[] arguments =
            ["-D", unfinished, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
        using var initdb = Process.Start(StartInfo(Path.Combine(bin, "initdb"), arguments, account, directory))!;
        var output = initdb.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = await initdb.StandardError.ReadToEndAsync(cancellationToken);
        await initdb.WaitForExitAsync(cancellationToken);
        if (initdb.ExitCode != 0)
        {
            throw new LocalPostgresException($"{bin}/initdb failed with {initdb.ExitCode}: {error}{await output}");
        }

        Directory.Move(unfinished, data);
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

    /// <returns>False when the server has stopped.</returns>
    private async Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        await using var database = NpgsqlDataSource.Create(Unpooled("postgres") + ";Timeout=2");
        while (!_server.HasExited)
        {

            try
            {
                // Another one may answer at a port that this one did not get.
                await using var command = database.CreateCommand("select current_setting('data_directory')");
                if ((string)(await command.ExecuteScalarAsync(cancellationToken))! == Path.Combine(_directory, "data"))
                {
                    return true;
                }
            }
            catch (NpgsqlException)
            {
                // Not yet.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(30), cancellationToken);
        }

        return false;
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

    // Who ends the program without disposing leaves nothing behind either.
    private void StopAtExit(object? sender, EventArgs e)
    {
        if (!_server.HasExited)
        {
            Signal(_isTemporary ? LeftServer.ImmediateShutdown : LeftServer.FastShutdown);
            _server.WaitForExit(TimeSpan.FromSeconds(5));
        }

        if (_isTemporary && Directory.Exists(_directory))
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    private void Signal(int signal) => _ = LeftServer.Kill(_server.Id, signal);

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

        public bool Contains(string words) => ToString().Contains(words, StringComparison.Ordinal);

        public override string ToString()
        {
            lock (_lines)
            {
                return string.Join('\n', _lines);
            }
        }
    }
}
