using FeedbackLoop.Knowledge.Import;
using FeedbackLoop.Local;
using FeedbackLoop.Local.PubSub;
using FeedbackLoop.Testing;

namespace FeedbackLoop.AdminApi.Tests;

/// <summary><c>docs/api.md</c>, tried from login to a ready model on the whole chain.</summary>
public sealed class DocumentationTests(ApiWorld world) : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("api-page-");
    private readonly HttpClient _http = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _http.Dispose();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task Every_example_gets_the_answer_that_the_page_shows()
    {
        await using var database = await world.CreateDatabaseAsync(Cancellation);
        await new KnowledgeImport(database.Database, TimeProvider.System).ImportFileAsync(
            Path.Combine(Repository.Root, "local", "sample", "enterprise-architecture.jsonl"), "enterprise-architecture",
            new ImportOptions(), progress: null, Cancellation);
        await LocalPeople.AddMissingAsync(database.ConnectionString, Cancellation);
        await using var chain = await StartAsync(database);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var ticks = TickAsync(chain, stop.Token);
        var values = new Dictionary<string, string>
        {
            ["API"] = $"{chain.Api.Address}api",
            ["ISSUER"] = chain.Identity.Address.ToString().TrimEnd('/'),
        };

        var page = await ReadPageAsync();
        var examples = CurlExample.ReadAll(page);
        Assert.Equal(page.Split('\n').Count(line => line == "```console"), examples.Count);
        foreach (var example in examples)
        {
            await CheckAsync(example, values);
        }

        await stop.CancelAsync();
        await ticks;
    }

    [Fact]
    public async Task The_table_of_routes_has_every_route_with_its_role()
    {
        var page = await ReadPageAsync();

        var shown = page.Split('\n')
            .Where(line => line.StartsWith("| `GET /", StringComparison.Ordinal) || line.StartsWith("| `POST /", StringComparison.Ordinal)
                || line.StartsWith("| `PUT /", StringComparison.Ordinal) || line.StartsWith("| `DELETE /", StringComparison.Ordinal))
            .SelectMany(line => line.Split('|') is var cells
                ? cells[1].Split(',').Select(route => $"{route.Trim(' ', '`')} {cells[2].Trim()}")
                : []);

        Assert.Equal(RouteTable.WithRoles(world.Api.Services).Order(), shown.Order());
    }

    // What takes time is asked for again until it is there, as a person would do.
    private async Task CheckAsync(CurlExample example, Dictionary<string, string> values)
    {
        var wrong = "";
        await Patience.UntilAsync(
            async () =>
            {
                using var request = example.ToRequest(values);
                using var response = await _http.SendAsync(request, Cancellation);
                var answer = await response.Content.ReadAsStringAsync(Cancellation);
                var isRight = example.TryMatch(answer, values);
                wrong = $"docs/api.md: {example.Command}\nanswered {(int)response.StatusCode} {answer}\nand not {example.Output}";
                Assert.True(isRight || request.Method == HttpMethod.Get, wrong);
                return isRight;
            },
            () => wrong);
    }

    private Task<LocalChain> StartAsync(TestDatabase database) => LocalChain.StartAsync(
        new()
        {
            ConnectionString = database.ConnectionString,
            ApiConnectionString = database.ApiConnectionString,
            DataDirectory = _directory.FullName,
            PubSub = new PubSubOptions { BackoffScale = 0.01 },
            Settings = new Dictionary<string, string?>
            {
                ["Tuning:PollDelays:0"] = "00:00:00.100",
                ["Tuning:PollDelays:1"] = "00:00:00.100",
                ["Tuning:PollDelays:2"] = "00:00:00.100",
                ["Tuning:PollDelays:3"] = "00:00:00.100",
            },
        },
        Cancellation);

    private static async Task TickAsync(LocalChain chain, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await chain.TickAsync(cancellationToken);
                await Task.Delay(TimeSpan.FromMilliseconds(250), cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The examples are done.
        }
        catch (Grpc.Core.RpcException e) when (e.StatusCode == Grpc.Core.StatusCode.Cancelled)
        {
            // The same, in the middle of a tick.
        }
    }

    private static Task<string> ReadPageAsync() =>
        File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "api.md"), Cancellation);
}
