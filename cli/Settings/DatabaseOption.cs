using System.CommandLine;

namespace FeedbackLoop.Cli.Settings;

/// <summary><c>--database</c>, or else what the settings and the environment say.</summary>
internal static class DatabaseOption
{
    private const string Variable = "DATABASE_URL";
    private const string Setting = "Database:ConnectionString";

    public static readonly Option<string?> Instance = new("--database")
    {
        Description =
            "Connection to PostgreSQL: postgres://user:password@host:port/database or Host=…;Database=…;Username=…. "
            + $"Without it, {Setting} of --settings, {Variable} or Database__ConnectionString.",
        HelpName = "CONNECTION",
        Recursive = true,
    };

    /// <summary>A connection string for Npgsql.</summary>
    public static string ConnectionString(ParseResult arguments, OperatorSettings settings)
    {
        (string Source, string? Address)[] places =
        [
            (Instance.Name, arguments.GetValue(Instance)),
            ($"{Setting} of {OperatorSettings.FileOption.Name}", settings.FindInFile(Setting)),
            (Variable, Environment.GetEnvironmentVariable(Variable)),
            (OperatorSettings.VariableOf(Setting), settings.Find(Setting)),
        ];
        if (places.FirstOrDefault(place => !string.IsNullOrWhiteSpace(place.Address)) is not (var source, { } address))
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
