using FeedbackLoop.Local;
using FeedbackLoop.Testing;
using Google.Cloud.AIPlatform.V1;

namespace FeedbackLoop.Cli;

/// <summary><c>docs/cli.md</c>, whose end says how it is read, and <c>docs/workflows.md</c>.</summary>
public sealed class DocumentationTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_example_does_what_the_page_shows()
    {
        await using var chain = await Chain.StartAsync(postgres, withSample: false);
        await RunPageAsync(chain, "cli.md", async section =>
        {
            if (section == "cancel")
            {
                // Its run must still be there when the next command comes.
                chain.Local.Vertex.Faults.EndNextJob(JobState.Running, "");
            }

            if (section == "metrics")
            {
                await chain.ExtractAndAcceptAsync(await chain.FindLargestProjectAsync()
                    ?? throw new InvalidOperationException("the page has imported projects"));
            }
        });
    }

    [Fact]
    public async Task Every_workflow_does_what_the_page_shows()
    {
        Assert.SkipUnless(
            (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
                .Any(folder => File.Exists(Path.Combine(folder, "curl"))),
            "curl is not on this machine: apt-get install curl");
        await using var chain = await Chain.StartAsync(postgres, withSample: false);
        await RunPageAsync(chain, "workflows.md", _ => Task.CompletedTask);
    }

    [Fact]
    public async Task Every_command_has_a_section_with_an_example()
    {
        var commands = FeedbackloopCommand.Leaves(FeedbackloopCommand.Create(TimeProvider.System)).Select(HelpTests.WordsOf);

        var shown = ConsoleExample.Read(await ReadPageAsync("cli.md"))
            .Where(example => example.Command.StartsWith($"feedbackloop {example.Section}", StringComparison.Ordinal))
            .Select(example => example.Section);

        Assert.Equal(commands.Order(), shown.Distinct().Order());
    }

    private static Task<string> ReadPageAsync(string name) =>
        File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, name), Cancellation);

    /// <param name="enter">Called with the name of each section before its first command.</param>
    private static async Task RunPageAsync(Chain chain, string name, Func<string, Task> enter)
    {
        var examples = ConsoleExample.Read(await ReadPageAsync(name)).ToList();
        Assert.NotEmpty(examples);
        var folder = Directory.CreateTempSubdirectory("cli-page-");
        File.Copy(Chain.SampleFile, Path.Combine(folder.FullName, "extractions.jsonl"));
        var section = "";
        foreach (var example in examples)
        {
            if (example.Section != section)
            {
                section = example.Section;
                await enter(section);
            }

            var result = await RunAsync(chain, folder.FullName, example.Command);

            Assert.True(
                result.ExitCode == example.ExitCode && example.Expected().IsMatch(result.Output.TrimEnd('\n')),
                $"docs/{name}, {section}: {example.Command}\nexit {result.ExitCode}\n{result.Output}\nexpected: "
                + $"exit {example.ExitCode}\n{example.Output}");
        }

        folder.Delete(recursive: true);
    }

    private static async Task<CommandResult> RunAsync(Chain chain, string folder, string command)
    {
        var program = string.Join(' ', FeedbackloopProcess.Program.Select(word => $"'{word}'"));
        var script =
            $$"""
            feedbackloop() { {{program}} "$@"; }
            cd '{{folder}}'
            exec 2>&1
            {{command}}
            """;
        if (command.StartsWith("curl ", StringComparison.Ordinal))
        {
            // Those who ask the API, in all that there is by now.
            await LocalPeople.AddMissingAsync(chain.Database.ConnectionString, Cancellation);
        }

        var environment = new Dictionary<string, string?>(chain.Environment)
        {
            ["API"] = $"{chain.Local.Api.Address}api",
            ["TOKEN"] = chain.Local.Identity.IssueAccessToken(LocalPeople.OrganizationAdmin),
            ["OWNER_DATABASE_URL"] = chain.Database.Admin.ConnectionString,
            // The other one is of a person who must see nothing of this.
            ["ORGANIZATION"] = await LatestAsync("kb.orgs where name <> 'Elsewhere'"),
            ["PROJECT"] = (await chain.FindLargestProjectAsync())?.ToString(),
            ["JOB"] = await LatestAsync(
                "kb.object_extraction_jobs j where not exists (select from kb.graph_objects o where o.extraction_job_id = j.id)"),
            ["RUN"] = await LatestAsync("ml.training_runs"),
            ["DOCUMENT"] = await chain.Database.ScalarAsync<string>(
                """
                select coalesce((
                    select e.document_id::text
                    from   ml.fine_tuned_models m
                    join   ml.dataset_examples e on e.dataset_id = m.dataset_id and e.split = 'train'
                    where  m.promoted_at is not null
                    order  by m.created_at desc, e.document_id
                    limit  1), '')
                """,
                Cancellation),
            ["MODEL"] = await LatestAsync("ml.fine_tuned_models where promoted_at is not null"),
        };
        using var bash = FeedbackloopProcess.Start(environment, ["bash", "-c", script]);
        return await bash.WaitAsync();

        async Task<string> LatestAsync(string table) => await chain.Database.ScalarAsync<string>(
            $"select coalesce((select id::text from {table} order by created_at desc limit 1), '')", Cancellation);
    }
}
