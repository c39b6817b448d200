using System.Reflection;

namespace FeedbackLoop.Local;

/// <summary>What <c>./run</c> was asked for.</summary>
internal sealed record RunOptions(bool IsOnce, string DataFile, bool WantsHelp)
{
    public const string Help =
        """
        Usage: ./run                     start everything on this machine and serve until Ctrl-C
               ./run --once [--data F]   do the main job once: verified extractions to a model that is used

          --data FILE   annotated extractions, one JSON object a line; without it the sample in local/sample
          --help        this text

        Examples:
          ./run
          ./run --once
          ./run --once --data extractions.jsonl | tail -n 1 > result.json

        Everything lives in .local/ below this folder; removing it starts anew.
        PUBSUB_EMULATOR_HOST   use that Pub/Sub emulator instead of the stand-in
        PG_BIN                 folder of postgres and initdb
        """;

    /// <summary>The checkout that this program was built from.</summary>
    public static string RepositoryRoot { get; } = Assembly.GetExecutingAssembly()
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;

    public static string Sample => Path.Combine(RepositoryRoot, "local", "sample", "enterprise-architecture.jsonl");

    /// <summary>Folder of the clusters, objects and learned models of this checkout.</summary>
    public static string StateDirectory => Path.Combine(RepositoryRoot, ".local");

    /// <returns>No options, and what is wrong, when the command line cannot be understood.</returns>
    public static (RunOptions? Options, string? Problem) Parse(string[] args)
    {
        var options = new RunOptions(false, Sample, false);
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
                case "--data":
                    return (null, "--data names no file");
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
