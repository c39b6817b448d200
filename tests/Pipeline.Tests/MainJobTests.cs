using System.Diagnostics;
using System.Text.Json;
using FeedbackLoop.Local;

namespace FeedbackLoop.Pipeline.Tests;

/// <summary><c>./run --once</c> as a process of its own, which is how everybody meets the system first.</summary>
public sealed class MainJobTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_without_extractions_is_said_and_in_the_same_folder_the_sample_ends_in_a_model_that_is_used()
    {
        var state = Directory.CreateTempSubdirectory("once-tests-");
        try
        {
            var file = Path.Combine(state.FullName, "empty.jsonl");
            await File.WriteAllTextAsync(file, "{\"not\": \"an extraction\"}\n", Cancellation);

            var nothing = await RunAsync("--once", "--data", file, "--state", state.FullName);
            var sample = await RunAsync("--once", "--state", state.FullName);

            Assert.Equal((1, ""), (nothing.ExitCode, nothing.Error));
            Assert.Contains("1 broken lines", nothing.Output, StringComparison.Ordinal);
            Assert.Contains($"{file} holds no extraction: line 1: ", nothing.Output, StringComparison.Ordinal);
            AssertHolds(sample);
        }
        finally
        {
            state.Delete(recursive: true);
        }
    }

    // A general model that is in use, a project's on top of it, both measured, and a new chunk's objects that wait for a review.
    // Of the project one document is held out: that is no reason to replace the general model.
    private static void AssertHolds(MainJobOutput job)
    {
        Assert.True(job.ExitCode == 0, job.Output + job.Error);
        Assert.Equal("", job.Error);
        var general = job.Result;
        var project = general.GetProperty("project");
        var selected = general.GetProperty("selected");
        Assert.Equal("ready", general.GetProperty("status").GetString());
        Assert.Equal(
            ("deprecated", "no_evidence"),
            (project.GetProperty("status").GetString(), project.GetProperty("verdict").GetProperty("verdict").GetString()));
        Assert.Equal(("general", general.GetProperty("run").GetString()),
            (selected.GetProperty("tier").GetString(), selected.GetProperty("modelId").GetString()));
        foreach (var trained in new[] { general, project })
        {
            Assert.Equal(trained.GetProperty("examples").GetInt32(),
                trained.GetProperty("trainExamples").GetInt32() + trained.GetProperty("validationExamples").GetInt32()
                + trained.GetProperty("testExamples").GetInt32());
            Assert.True(trained.GetProperty("testExamples").GetInt32() > 0);
            Assert.NotEqual("", trained.GetProperty("verdict").GetProperty("reason").GetString());
            Assert.Contains(trained.GetProperty("evaluation").EnumerateArray(),
                model => model.GetProperty("subject").GetProperty("role").GetString() == "base");
        }

        Assert.Matches(@"extraction +job \S+ of a new chunk is requires_review: [1-9]\d* objects \([1-9]\d* to be reviewed\)", job.Output);
    }

    private static async Task<MainJobOutput> RunAsync(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(LocalChain).Assembly.Location, .. args])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(Cancellation);
        var error = process.StandardError.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);
        return new(process.ExitCode, await output, await error);
    }

    private sealed record MainJobOutput(int ExitCode, string Output, string Error)
    {
        // The last line.
        public JsonElement Result => JsonElement.Parse(Output.TrimEnd('\n').Split('\n')[^1]);
    }
}
