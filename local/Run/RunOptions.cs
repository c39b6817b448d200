using System.Globalization;
using System.Reflection;

namespace FeedbackLoop.Local;

/// <summary>What <c>./run</c> was asked for.</summary>
/// <param name="StateDirectory">Folder of the clusters, objects and learned models.</param>
/// <param name="Port">Of the admin API, 0 for any; null for the usual one.</param>
internal sealed record RunOptions(bool IsOnce, string DataFile, bool WantsHelp, string StateDirectory, int? Port)
{
    public const string Help =
        """
        Usage: ./run                     start everything on this machine and serve until Ctrl-C
               ./run --once [--data F]   do the main job once: verified extractions to a model that is used

          --data FILE   annotated extractions, one JSON object a line; without it the sample in local/sample
          --state DIR   folder of the databases, objects and models; without it .local below this folder
          --port N      of the admin UI and API; without it 8080, or any when that is taken; 0 takes any
          --help        this text

        Examples:
          ./run
          ./run --once
          ./run --once --data extractions.jsonl | tail -n 1 > result.json

        Everything lives in the folder of --state; removing it starts anew.
        PUBSUB_EMULATOR_HOST   use that Pub/Sub emulator instead of the stand-in
        PG_BIN                 folder of postgres and initdb
        """;

    /// <summary>The checkout that this program was built from.</summary>
    public static string RepositoryRoot { get; } = Assembly.GetExecutingAssembly()
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;

    public static string Sample => Path.Combine(RepositoryRoot, "local", "sample", "enterprise-architecture.jsonl");

    /// <summary>Where the admin UI is once it is built.</summary>
    public static string UiDirectory => Path.Combine(RepositoryRoot, "admin-ui", "dist");

    /// <returns>No options, and what is wrong, when the command line cannot be understood.</returns>
    public static (RunOptions? Options, string? Problem) Parse(string[] args)
    {
        var options = new RunOptions(false, Sample, false, Path.Combine(RepositoryRoot, ".local"), null);
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--once":
                    options = options with { IsOnce = true };
                    break;
                case "--data" when i + 1 < args.Length:
                    options = options with { DataFile = args[++i] };
                    break;
                case "--state" when i + 1 < args.Length:
                    options = options with { StateDirectory = Path.GetFullPath(args[++i]) };
                    break;
                case "--port" when i + 1 < args.Length
                    && ushort.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var port):
                    options = options with { Port = port };
                    i++;
                    break;
                case "--data":
                    return (null, "--data names no file");
                case "--state":
                    return (null, "--state names no folder");
                case "--port":
                    return (null, "--port names no port");
                case "--help" or "-h":
                    options = options with { WantsHelp = true };
                    break;
                default:
                    return (null, $"unknown argument {args[i]}");
            }
        }

        return File.Exists(options.DataFile) ? (options, null) : (null, $"there is no file {options.DataFile}");
    }
}
