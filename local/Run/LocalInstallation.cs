using System.Net;
using System.Net.Sockets;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Knowledge.Import;
using FeedbackLoop.Scheduling;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace FeedbackLoop.Local;

/// <summary>An installation that lasts: the same database, objects and models at every start.</summary>
internal static class LocalInstallation
{
    private const string Database = "feedbackloop";
    private const int UsualApiPort = 8080;
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(5);

    // Schedules every minute, the most often that Cloud Scheduler can: nobody who tries one out waits an hour for it.
    private static readonly TickJob[] TickJobs = [TickJob.ScheduleTick with { Expression = "* * * * *" }, TickJob.Sweep];

    /// <summary>Starts everything, loads the data the first time, and serves until it is cancelled.</summary>
    public static async Task<int> ServeAsync(RunOptions options, CancellationToken cancellationToken)
    {
        Console.WriteLine("Starting PostgreSQL …");
        await using var postgres = await LocalPostgres.StartAsync(
            new() { Directory = ClusterDirectory(options.StateDirectory, "serve"), IsDurable = true }, cancellationToken);
        var isNew = !await postgres.HasDatabaseAsync(Database, cancellationToken);
        if (isNew)
        {
            await postgres.CreateDatabaseAsync(Database, template: null, cancellationToken);
        }

        KnowledgeSchema.MigrateAll(postgres.ConnectionString(Database), _ => { });
        await using var chain = await LocalChain.StartAsync(
            new()
            {
                ConnectionString = postgres.ConnectionString(Database, "app"),
                ApiConnectionString = postgres.ConnectionString(Database, "app_api"),
                ApiPort = options.Port ?? FreePort(UsualApiPort),
                DataDirectory = Path.Combine(options.StateDirectory, "serve"),
                PubSubEmulator = Emulator(),
                Settings = new Dictionary<string, string?>(QuickPolls)
                {
                    // As it was built last, without building the functions anew.
                    ["AdminApi:UiDirectory"] = RunOptions.UiDirectory,
                },
                TickJobs = TickJobs,
                Logging = logging => logging.AddSimpleConsole(o => o.SingleLine = true).SetMinimumLevel(LogLevel.Information),
            },
            cancellationToken);
        if (isNew)
        {
            await ImportAsync(postgres.ConnectionString(Database, "app"), options.DataFile, cancellationToken);
        }

        await LocalPeople.AddMissingAsync(postgres.ConnectionString(Database, "app"), cancellationToken);

        if (Directory.Exists(RunOptions.UiDirectory))
        {
            Console.WriteLine($"Admin UI      {chain.Api.Address}   choose who you are at the login");
        }

        Console.WriteLine($"Database      {postgres.ConnectionString(Database, "app")}");
        Console.WriteLine($"Pub/Sub       {chain.PubSubAddress}");
        Console.WriteLine($"Scheduler     {chain.Scheduler.Address}   ticks the schedules every minute");
        Console.WriteLine($"Cloud Storage {chain.Storage.Address}   gs://{LocalChain.Bucket}");
        Console.WriteLine($"Admin API     {chain.Api.Address}api   described by {chain.Api.Address}api/openapi.json");
        Console.WriteLine($"People        {chain.Identity.Address}   who can log in, and their tokens for the command line");
        Console.WriteLine($"Push tokens   {chain.GoogleAccounts.Address}   in place of Google's accounts");
        Console.WriteLine($"Vertex AI     {chain.Vertex.Address}   tokens at {chain.Vertex.IamAddress}");
        foreach (var function in chain.Functions)
        {
            Console.WriteLine($"{function.Name,-20} {function.Address}");
        }

        Console.WriteLine("Serving. Ctrl-C stops everything; what was done stays.");
        await SweepAsync(chain, SweepInterval, cancellationToken);
        return 0;
    }

    // A second installation on this machine gets another port, and says which.
    private static int FreePort(int wanted)
    {
        try
        {
            using var probe = new TcpListener(IPAddress.Loopback, wanted);
            probe.Start();
            return wanted;
        }
        catch (SocketException)
        {
            return 0;
        }
    }

    /// <summary>Polls every second or two: the stand-in's jobs take seconds, where Vertex takes an hour.</summary>
    public static IReadOnlyDictionary<string, string?> QuickPolls { get; } = new Dictionary<string, string?>
    {
        ["Tuning:PollDelays:0"] = "00:00:01",
        ["Tuning:PollDelays:1"] = "00:00:01",
        ["Tuning:PollDelays:2"] = "00:00:02",
        ["Tuning:PollDelays:3"] = "00:00:02",
        ["Export:ProgressInterval"] = "00:00:00.500",
    };

    /// <summary>
    /// Sweeps until it is cancelled. Not by Cloud Scheduler, whose jobs are a minute apart at least: the tuning jobs here take
    /// seconds, and each is polled by a sweep.
    /// </summary>
    public static async Task SweepAsync(LocalChain chain, TimeSpan interval, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(interval, TimeProvider.System);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            await chain.TickAsync(cancellationToken);
        }
    }

    public static async Task<ImportReport> ImportAsync(
        string connectionString, string file, CancellationToken cancellationToken)
    {
        await using var database = NpgsqlDataSource.Create(connectionString);
        var import = new KnowledgeImport(database, TimeProvider.System);
        return await import.ImportFileAsync(
            file, Path.GetFileNameWithoutExtension(file), new ImportOptions { IsAnnotated = true }, progress: null,
            cancellationToken);
    }

    public static Uri? Emulator() =>
        GoogleCloudAddress.Parse(Environment.GetEnvironmentVariable("PUBSUB_EMULATOR_HOST"));

    /// <summary>
    /// A folder below the state; below /var/tmp when the account that runs PostgreSQL for root cannot get there.
    /// </summary>
    public static string ClusterDirectory(string state, string name)
    {
        var inState = Path.Combine(state, "postgres", name);
        return LocalPostgres.CanUse(inState)
            ? inState
            : Path.Combine("/var/tmp", "feedbackloop-" + state.Trim('/').Replace('/', '-'), name);
    }
}
