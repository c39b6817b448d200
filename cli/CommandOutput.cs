using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Spectre.Console;
using Spectre.Console.Rendering;

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

    /// <summary>Whether a person sees what is written as it is written.</summary>
    public bool IsTerminal => !isJson && !Console.IsOutputRedirected;

    /// <summary>An empty table in the house's form.</summary>
    public static Table Table(params string[] columns)
    {
        var table = new Table().Border(TableBorder.None);
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn(new Text(column, new Style(decoration: Decoration.Bold))).NoWrap().Padding(0, 0, 2, 0));
        }

        return table;
    }

    /// <summary>The result of the command: the object for a machine, <paramref name="page"/> for people.</summary>
    public void Result<T>(T result, JsonTypeInfo<T> shape, IRenderable page)
    {
        if (isJson)
        {
            Document(result, shape);
        }
        else if (IsTerminal)
        {
            AnsiConsole.Write(page);
        }
        else
        {
            WritePlain(page);
        }
    }

    /// <summary>One JSON document on a line of its own.</summary>
    public static void Document<T>(T result, JsonTypeInfo<T> shape) =>
        Console.Out.WriteLine(JsonSerializer.Serialize(result, shape));

    /// <summary>The result of the command: the object for a machine, <paramref name="lines"/> for people.</summary>
    public void Result<T>(T result, JsonTypeInfo<T> shape, IEnumerable<string> lines)
    {
        if (isJson)
        {
            Document(result, shape);
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
        if (!IsTerminal)
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
            var problem = new CommandProblem(
                failure.ExitCode, failure.Problem, failure.Remedy, failure.Run?.Id, failure.Run?.State);
            Document(problem, CliJson.Default.CommandProblem);
            return;
        }

        Console.Error.WriteLine($"error: {failure.Problem}");
        if (failure.Remedy is { } remedy)
        {
            Console.Error.WriteLine(remedy);
        }
    }

    // Without a terminal there is no width to fold lines for, and nothing that likes spaces at their ends.
    private static void WritePlain(IRenderable page)
    {
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(text),
        });
        console.Profile.Width = 1_000;
        console.Write(page);
        foreach (var line in text.ToString().TrimEnd().Split('\n'))
        {
            Console.Out.WriteLine(line.TrimEnd());
        }
    }
}
