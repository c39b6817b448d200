using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Spectre.Console;

namespace FeedbackLoop.Cli;

/// <summary>
/// What a command says. People get lines on stdout, warnings on stderr and progress bars; a machine (<c>--json</c>)
/// gets one object on stdout and nothing else.
/// </summary>
internal sealed class CommandOutput(bool isJson)
{
    public static readonly Option<bool> JsonOption = new("--json")
    {
        Description = "Write one JSON object to stdout, and nothing else.",
        Recursive = true,
    };

    public bool IsJson => isJson;

    /// <summary>The result of the command: the object for a machine, <paramref name="lines"/> for people.</summary>
    public void Result<T>(T result, JsonTypeInfo<T> shape, IEnumerable<string> lines)
    {
        if (isJson)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(result, shape));
            return;
        }

        foreach (var line in lines)
        {
            Console.Out.WriteLine(line);
        }
    }

    /// <summary>Something on the way that only people care for.</summary>
    public void Note(string line)
    {
        if (!isJson)
        {
            Console.Out.WriteLine(line);
        }
    }

    /// <summary>Something that a person should look at. A machine finds it in the result.</summary>
    public void Warn(string line)
    {
        if (!isJson)
        {
            Console.Error.WriteLine(line);
        }
    }

    /// <summary>Does the work under a progress bar, or without one when nobody is watching.</summary>
    /// <param name="work">Reports the part done, from 0 to 1, and null while it is unknown.</param>
    public async Task<T> WithProgressAsync<T>(string title, Func<Action<double?>, Task<T>> work)
    {
        if (isJson || Console.IsOutputRedirected)
        {
            return await work(_ => { });
        }

        return await AnsiConsole.Progress().StartAsync(async context =>
        {
            var bar = context.AddTask(Markup.Escape(title), maxValue: 1);
            var result = await work(part =>
            {
                bar.IsIndeterminate = part is null;
                bar.Value = part ?? 0;
            });
            bar.IsIndeterminate = false;
            bar.Value = 1;
            return result;
        });
    }

    /// <summary>Why the command ends early.</summary>
    public void Failure(CommandException failure)
    {
        if (isJson)
        {
            var problem = new CommandProblem(failure.ExitCode, failure.Problem, failure.Remedy);
            Console.Out.WriteLine(JsonSerializer.Serialize(problem, CliJson.Default.CommandProblem));
            return;
        }

        Console.Error.WriteLine($"error: {failure.Problem}");
        if (failure.Remedy is { } remedy)
        {
            Console.Error.WriteLine(remedy);
        }
    }
}
