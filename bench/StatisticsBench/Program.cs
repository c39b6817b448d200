using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using FeedbackLoop.Bench;
using FeedbackLoop.Local;
using FeedbackLoop.Statistics;
using Npgsql;

// dotnet run -c Release --project bench/StatisticsBench -- [extractions [projects]]      five objects an extraction
var extractions = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 200_000;
var projects = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 1_000;
const int Reads = 1_000;
var stop = CancellationToken.None;
var random = new Random(1);

await using var postgres = await LocalPostgres.StartAsync(new LocalPostgresOptions(), stop);
await postgres.CreateDatabaseAsync("bench", template: null, stop);
KnowledgeSchema.MigrateAll(postgres.ConnectionString("bench"), _ => { });
await using var tenants = new BenchTenants(postgres, "bench");

// As the pages do: by the API's login. The chain's login reads beside it, for what the policies of the API's cost.
var reader = ReaderOf(token => tenants.OpenAsync(BenchTenants.Organization, token));
var wideReader = ReaderOf(token => tenants.OpenAsync(BenchTenants.WideOrganization, token));
var chainReader = ReaderOf(tenants.App.OpenConnectionAsync);
var level = VerificationLevel.Find(0.85)!.Value;

Console.WriteLine(string.Create(
    CultureInfo.InvariantCulture,
    $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd}, {Environment.ProcessorCount} processors, {RuntimeInformation.OSDescription}, "
    + $"{extractions * 5:N0} objects in {extractions:N0} extractions"));
await tenants.FillProjectAsync(extractions);
foreach (var (login, open) in new (string, Func<CancellationToken, ValueTask<NpgsqlConnection>>)[]
{
    ("chain", tenants.App.OpenConnectionAsync), ("API", token => tenants.OpenAsync(BenchTenants.Organization, token)),
})
{
    await tenants.ForgetCountsAsync();
    var counting = Stopwatch.StartNew();
    await new StatisticsFold(open, CountingRules.Default).FoldAllAsync(BenchTenants.Project, int.MaxValue, stop);
    Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"first count by the {login}'s login: {counting.Elapsed.TotalSeconds:0.0} s"));
}

var watch = new Stopwatch();
var before = await ReadAsync();
Console.WriteLine($"{before.Verified} verified, {before.ExamplesAvailable} examples, {before.NewExamplesSinceLastTraining} new");

Console.WriteLine();
Console.WriteLine("| reads | count | p50 ms | p95 ms | p99 ms | max ms |");
Console.WriteLine("|---|---:|---:|---:|---:|---:|");
await MeasureAsync("calm, before the first vacuum", Reads, () => Task.CompletedTask);
await tenants.VacuumAsync();
await MeasureAsync("calm", Reads, () => Task.CompletedTask);
await MeasureChainAsync("calm, by the chain's login", Reads, () => Task.CompletedTask);
await using (var db = await tenants.App.OpenConnectionAsync())
{
    await MeasureAsync(
        "each after one changed row", Reads,
        () => BenchTenants.ExecuteAsync(db, BenchTenants.Change(random.Next(1, extractions), 1), stop));
    await MeasureAsync(
        "each after a batch of 1,000 changed rows", Reads / 4,
        () => BenchTenants.ExecuteAsync(db, BenchTenants.Change(random.Next(1, extractions - 1_000), 1_000), stop));
    await MeasureChainAsync(
        "each after one changed row, by the chain's login", Reads,
        () => BenchTenants.ExecuteAsync(db, BenchTenants.Change(random.Next(1, extractions), 1), stop));
    await MeasureChainAsync(
        "each after a batch of 1,000 changed rows, by the chain's login", Reads / 4,
        () => BenchTenants.ExecuteAsync(db, BenchTenants.Change(random.Next(1, extractions - 1_000), 1_000), stop));
}

using (var ended = new CancellationTokenSource())
{
    var (singles, batches) = (WriteAsync(1, TimeSpan.FromMilliseconds(20), ended.Token), WriteAsync(1_000, TimeSpan.FromSeconds(2), ended.Token));
    await MeasureAsync(
        "beside 50 changes/s and 1,000 rows every 2 s", Reads, () => Task.Delay(TimeSpan.FromMilliseconds(20), stop));
    await ended.CancelAsync();
    Console.WriteLine($"    ({await singles} single changes and {await batches} batches meanwhile)");
}

await tenants.FillOrganizationAsync(projects);
watch.Restart();
for (var uncounted = projects; uncounted > 0;)
{
    uncounted = (await wideReader.ReadOrganizationAsync(BenchTenants.WideOrganization, level, stop)).UncountedProjects;
}

Console.WriteLine(string.Create(
    CultureInfo.InvariantCulture, $"    ({projects:N0} projects counted, 20 a reading, in {watch.Elapsed.TotalSeconds:0.0} s)"));
await tenants.VacuumAsync();
await PrintAsync(
    $"organization of {projects:N0} projects", Reads / 4, () => Task.CompletedTask,
    () => wideReader.ReadOrganizationAsync(BenchTenants.WideOrganization, level, stop));

Console.WriteLine();
Console.WriteLine("| product's statement | without log ms | with log ms |");
Console.WriteLine("|---|---:|---:|");
await CompareAsync("insert of one row", 2_000, i => Insert(i, 1));
await CompareAsync("update of one row", 2_000, i => BenchTenants.Change(1 + (i * 37 % extractions), 1));
await CompareAsync("update of one row, nothing that counts", 2_000, i => Touch(1 + (i * 37 % extractions), 1));
await CompareAsync("insert of 10,000 rows", 7, i => Insert(i, 10_000));
await CompareAsync("update of 10,000 rows", 7, i => BenchTenants.Change(1 + (i * 10_000 % (extractions - 10_000)), 10_000));
await CompareAsync("update of 10,000 rows, nothing that counts", 7, i => Touch(1 + (i * 10_000 % (extractions - 10_000)), 10_000));

static StatisticsReader ReaderOf(Func<CancellationToken, ValueTask<NpgsqlConnection>> open) =>
    new(open, new StatisticsFold(open, CountingRules.Default));

Task<TrainingStatistics> ReadAsync() => ReadByAsync(reader);

async Task<TrainingStatistics> ReadByAsync(StatisticsReader by) =>
    await by.ReadProjectAsync(BenchTenants.Organization, BenchTenants.Project, level, stop)
    ?? throw new InvalidOperationException("the project is gone");

Task MeasureAsync(string situation, int count, Func<Task> between) =>
    PrintAsync(situation, count, between, ReadAsync);

Task MeasureChainAsync(string situation, int count, Func<Task> between) =>
    PrintAsync(situation, count, between, () => ReadByAsync(chainReader));

static async Task PrintAsync<T>(string situation, int count, Func<Task> between, Func<Task<T>> read)
{
    for (var i = 0; i < 5; i++)
    {
        await between();
        await read();
    }

    var times = new double[count];
    for (var i = 0; i < count; i++)
    {
        await between();
        var start = Stopwatch.GetTimestamp();
        await read();
        times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    Array.Sort(times);
    Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"| {situation} | {count:N0} | {times[count / 2]:0.0} | {times[count * 95 / 100]:0.0} | {times[count * 99 / 100]:0.0} | {times[^1]:0.0} |"));
}

async Task<int> WriteAsync(int rows, TimeSpan pause, CancellationToken ended)
{
    var count = 0;
    try
    {
        await using var db = await tenants.App.OpenConnectionAsync(ended);
        for (var own = new Random(rows); ; count++)
        {
            await BenchTenants.ExecuteAsync(db, BenchTenants.Change(own.Next(1, extractions - rows), rows), ended);
            await Task.Delay(pause, ended);
        }
    }
    catch (OperationCanceledException)
    {
        return count;
    }
}

// The two take turns, so that neither has the warmer cache.
async Task CompareAsync(string statement, int count, Func<int, string> sql)
{
    var times = new List<double>[] { [], [] };
    var rounds = Math.Min(count, 7);
    await using var db = await tenants.App.OpenConnectionAsync();
    for (var (round, i) = (0, 0); round < 2 * rounds; round++)
    {
        await tenants.SetTriggersAsync(round % 2 == 1);
        for (var n = 0; n < count / rounds; n++, i++)
        {
            var text = sql(i);
            var start = Stopwatch.GetTimestamp();
            await BenchTenants.ExecuteAsync(db, text, stop);
            times[round % 2].Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
    }

    Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"| {statement} | {Median(times[0]):0.00} | {Median(times[1]):0.00} |"));
}

static double Median(List<double> times) => times.Order().ElementAt(times.Count / 2);

static string Insert(int i, int rows) =>
    $"""
    insert into kb.graph_objects (project_id, type, status, canonical_id, properties, extraction_job_id)
    select '{BenchTenants.Project}', 'Type1', 'suggested', gen_random_uuid(),
           '{"{"}"name": "n", "description": "It does its part of the work."{"}"}', md5('j' || {i} + n)::uuid
    from   generate_series(1, {rows}) n
    """;

static string Touch(int extraction, int rows) =>
    $"""
    update kb.graph_objects
    set    updated_at = now()
    where  id = any(array(
               select md5('o' || i || '/1')::uuid from generate_series({extraction}, {extraction + rows - 1}) i))
    """;
