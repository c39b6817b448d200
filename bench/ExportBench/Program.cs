using System.Diagnostics;
using System.Globalization;
using FeedbackLoop.Bench;
using FeedbackLoop.Local;

// dotnet run -c Release --project bench/ExportBench -- [chunks …]      five objects and four relationships a chunk
int[] sizes = args.Length > 0
    ? [.. args.Select(a => int.Parse(a, CultureInfo.InvariantCulture))]
    : [20_000, 200_000];

await using var postgres = await LocalPostgres.StartAsync(new LocalPostgresOptions(), CancellationToken.None);
Console.WriteLine("| objects | chunks | export s | peak MB | bare COPY s | COPY of JSON s | export / bare | JSON / export |");
Console.WriteLine("|---:|---:|---:|---:|---:|---:|---:|---:|");
foreach (var chunks in sizes)
{
    var database = $"bench_{chunks}";
    await postgres.CreateDatabaseAsync(database, template: null, CancellationToken.None);
    KnowledgeSchema.MigrateAll(postgres.ConnectionString(database), _ => { });
    await using var knowledge = new BenchKnowledge(postgres.ConnectionString(database));
    await knowledge.FillAsync(chunks);

    // Once for the cache, then the three beside each other.
    await knowledge.CopyAsync(BenchKnowledge.BareRead);
    var bare = await knowledge.CopyAsync(BenchKnowledge.BareRead);
    var json = await knowledge.CopyAsync(BenchKnowledge.JsonRead);
    var (export, peak) = await ExportAsync(postgres.ConnectionString(database, "app"));
    Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"| {chunks * 5:N0} | {chunks:N0} | {export.TotalSeconds:0.0} | {peak / 1024.0:0} | {bare.TotalSeconds:0.0} | "
        + $"{json.TotalSeconds:0.0} | {export / bare:0.00} | {json / export:0.00} |"));
    await postgres.DropDatabaseAsync(database, CancellationToken.None);
}

static async Task<(TimeSpan Time, long PeakKilobytes)> ExportAsync(string connectionString)
{
    var output = Directory.CreateTempSubdirectory("export-bench-");
    var start = new ProcessStartInfo("dotnet")
    {
        ArgumentList =
        {
            Path.Combine(AppContext.BaseDirectory, "FeedbackLoop.Cli.dll"), "export-training-data", "--project-id",
            BenchKnowledge.Project.ToString(), "--output", output.FullName, "--database", connectionString, "--json",
        },
        RedirectStandardOutput = true,
    };
    var watch = Stopwatch.StartNew();
    using var process = Process.Start(start)!;
    var peak = 0L;
    var result = process.StandardOutput.ReadToEndAsync();
    while (!process.WaitForExit(TimeSpan.FromMilliseconds(20)))
    {
        peak = Math.Max(peak, PeakOf(process.Id));
    }

    watch.Stop();
    output.Delete(recursive: true);
    return process.ExitCode == 0
        ? (watch.Elapsed, peak)
        : throw new InvalidOperationException($"the export ended with {process.ExitCode}: {await result}");
}

static long PeakOf(int processId)
{
    try
    {
        var line = File.ReadLines($"/proc/{processId}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
    catch (IOException)
    {
        return 0;
    }
}
