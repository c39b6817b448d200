using System.CommandLine;

namespace FeedbackLoop.Cli;

/// <summary><c>--database</c>, or else <c>DATABASE_URL</c>.</summary>
internal static class DatabaseOption
{
    private const string Variable = "DATABASE_URL";

    public static readonly Option<string?> Instance = new("--database")
    {
        Description =
            "Connection to PostgreSQL: postgres://user:password@host:port/database or Host=…;Database=…;Username=…. "
            + $"Without it, the environment's {Variable}.",
        HelpName = "CONNECTION",
        Recursive = true,
    };

    /// <summary>A connection string for Npgsql.</summary>
    public static string ConnectionString(ParseResult arguments)
    {
        var given = arguments.GetValue(Instance);
        var (source, address) = string.IsNullOrWhiteSpace(given)
            ? (Variable, Environment.GetEnvironmentVariable(Variable))
            : (Instance.Name, given);
        if (string.IsNullOrWhiteSpace(address))
        {
            throw CommandException.Usage(
                "no database is named",
                $"Pass --database postgres://user:password@host:5432/database, or set {Variable} to it.");
        }

        try
        {
            return DatabaseAddress.Parse(address);
        }
        catch (FormatException e)
        {
            throw CommandException.Usage(
                $"{source} is no connection to PostgreSQL: {e.Message}",
                "Write it as postgres://user:password@host:5432/database or Host=…;Database=…;Username=…;Password=….");
        }
    }
}
