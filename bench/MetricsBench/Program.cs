using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using FeedbackLoop.Access;
using FeedbackLoop.Bench;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Local;
using FeedbackLoop.Metrics;
using FeedbackLoop.Runs;
using FeedbackLoop.Tuning;
using Npgsql;

// dotnet run -c Release --project bench/MetricsBench -- [extractions]      five objects an extraction, over 366 days
var extractions = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 200_000;
var stop = CancellationToken.None;
var today = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);

await using var postgres = await LocalPostgres.StartAsync(new LocalPostgresOptions(), stop);
await postgres.CreateDatabaseAsync("bench", template: null, stop);
KnowledgeSchema.MigrateAll(postgres.ConnectionString("bench"), _ => { });
await MeasuredTenants.FillAsync(postgres.ConnectionString("bench"), extractions, stop);
await using var api = NpgsqlDataSource.Create(postgres.ConnectionString("bench", "app_api"));
var connections = new TenantConnections(api);
var reader = new MetricsReader(
    async cancellationToken => await connections.OpenAsync([MeasuredTenants.Organization], cancellationToken),
    new BaseModelCatalogue(), new VerificationOptions());

Console.WriteLine(string.Create(
    CultureInfo.InvariantCulture,
    $"{today:yyyy-MM-dd}, {Environment.ProcessorCount} processors, {RuntimeInformation.OSDescription}, "
    + $"{extractions * 5:N0} objects in {extractions:N0} extractions of an organization, half of them of one project"));
Console.WriteLine();
Console.WriteLine("| figures of | extractions | count | p50 ms | p95 ms | max ms |");
Console.WriteLine("|---|---:|---:|---:|---:|---:|");
var project = new Scope(MeasuredTenants.Organization, MeasuredTenants.Project);
var organization = project with { ProjectId = null };
await MeasureAsync("a project, 30 days", project, 30, 60);
await MeasureAsync("a project, 366 days", project, 366, 20);
await MeasureAsync("the organization, 30 days", organization, 30, 60);
await MeasureAsync("the organization, 366 days", organization, 366, 20);

async Task MeasureAsync(string what, Scope scope, int days, int count)
{
    if (!MetricsPeriod.TryRead($"{today.AddDays(1 - days):yyyy-MM-dd}", null, today, out var period, out _))
    {
        throw new InvalidOperationException($"{days} days are no period");
    }

    var read = await reader.ReadAsync(scope, period, shownProjects: null, stop);
    var times = new double[count];
    for (var i = 0; i < count; i++)
    {
        var start = Stopwatch.GetTimestamp();
        await reader.ReadAsync(scope, period, shownProjects: null, stop);
        times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    Array.Sort(times);
    Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"| {what} | {read.Total.Extractions:N0} | {count} | {times[count / 2]:0} | {times[count * 95 / 100]:0} | {times[^1]:0} |"));
}
