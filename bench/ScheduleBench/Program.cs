using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using FeedbackLoop.Bench;
using FeedbackLoop.Local;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Scheduling;
using FeedbackLoop.Spending;
using FeedbackLoop.Statistics;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

// dotnet run -c Release --project bench/ScheduleBench -- [schedules [due]]
var schedules = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 100_000;
var due = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 1_000;
const int Ticks = 4;
var stop = CancellationToken.None;

await using var postgres = await LocalPostgres.StartAsync(new LocalPostgresOptions(), stop);
await postgres.CreateDatabaseAsync("bench", template: null, stop);
KnowledgeSchema.MigrateAll(postgres.ConnectionString("bench"), _ => { });
await using var admin = NpgsqlDataSource.Create(postgres.ConnectionString("bench") + ";Command Timeout=600");
Console.WriteLine(string.Create(
    CultureInfo.InvariantCulture,
    $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd}, {Environment.ProcessorCount} processors, {RuntimeInformation.OSDescription}, "
    + $"{schedules:N0} schedules, {due:N0} due"));

var clock = new BenchClock(new DateTimeOffset(2026, 6, 15, 2, 30, 0, TimeSpan.Zero));
await ScheduleRows.FillAsync(admin, schedules, due, clock.GetUtcNow(), stop);
Console.WriteLine();
Console.WriteLine("| four ticks at once | seconds | looked at | started | runs | slots |");
Console.WriteLine("|---|---:|---:|---:|---:|---:|");
var isRight = await TickAsync("all that is due", due);
isRight &= await TickAsync("the same again", due);

// The worst hour: each schedule waits for examples, so that each one is counted and told why not.
await ScheduleRows.WaitForExamplesAsync(admin, clock.GetUtcNow(), stop);
isRight &= await TickAsync("every one waits for a threshold", due);
return isRight ? 0 : 1;

async Task<bool> TickAsync(string situation, int expectedRuns)
{
    var start = Stopwatch.GetTimestamp();
    var tallies = await Task.WhenAll(Enumerable.Range(0, Ticks).Select(_ => Task.Run(TickOnceAsync)));
    var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
    var (runs, slots) = await ScheduleRows.CountAsync(admin, stop);
    Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"| {situation} | {seconds:0.00} | {tallies.Sum(t => t.LookedAt):N0} | {tallies.Sum(t => t.Started):N0} "
        + $"| {runs:N0} | {slots:N0} |"));
    return runs == expectedRuns && slots == expectedRuns;
}

// Each with a pool of its own, as each instance of the function has one.
async Task<TickTally> TickOnceAsync()
{
    await using var database = NpgsqlDataSource.Create(postgres.ConnectionString("bench", "app"));
    var outbox = new OutboxRelay(database, new NoPublisher(), new Failpoints(), TimeProvider.System);
    var ticker = new ScheduleTicker(
        database, outbox, clock, Options.Create(new ScheduleOptions()), CountingRules.Default,
        new SpendingTerms(new SpendingOptions(), new BaseModelCatalogue()), NullLogger<ScheduleTicker>.Instance);
    return await ticker.RunAsync(stop);
}
