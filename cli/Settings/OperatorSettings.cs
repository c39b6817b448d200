using System.CommandLine;
using FeedbackLoop.Datasets;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Lineage;
using FeedbackLoop.Preflights;
using FeedbackLoop.Spending;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.Cli.Settings;

/// <summary>
/// The settings of the functions, under the same names: <c>appsettings.json</c> beside the program, then the environment,
/// then the file of <c>--settings</c>; the later one wins.
/// </summary>
internal sealed class OperatorSettings
{
    public static readonly Option<string?> FileOption = new("--settings")
    {
        Description =
            "JSON file with the settings of the functions, above those of the environment (GoogleCloud__ProjectId and so on).",
        HelpName = "FILE",
        Recursive = true,
    };

    private readonly IConfigurationRoot _all;
    private readonly IConfigurationRoot _file;
    private readonly ParseResult _arguments;

    private OperatorSettings(ParseResult arguments)
    {
        _arguments = arguments;
        var file = arguments.GetValue(FileOption);
        try
        {
            _file = WithFile(new ConfigurationBuilder(), file).Build();
            _all = WithFile(
                new ConfigurationBuilder()
                    .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"))
                    .AddEnvironmentVariables(),
                file).Build();
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw CommandException.Usage(
                $"{FileOption.Name} {file} cannot be read: {(e.InnerException ?? e).Message.Split('\n')[0].Trim()}",
                """Name a JSON file such as { "GoogleCloud": { "ProjectId": "my-project" } }.""");
        }
    }

    /// <exception cref="CommandException">The file is broken.</exception>
    public static OperatorSettings Read(ParseResult arguments) => new(arguments);

    /// <exception cref="CommandException">No database is named.</exception>
    public string FindConnectionString() => DatabaseOption.ConnectionString(_arguments, this);

    /// <inheritdoc cref="FindConnectionString" path="/exception"/>
    public NpgsqlDataSource OpenDatabase() => NpgsqlDataSource.Create(FindConnectionString());

    /// <summary>As the environment spells it: <c>GoogleCloud:Location</c> is <c>GoogleCloud__Location</c>.</summary>
    public static string VariableOf(string key) => key.Replace(":", "__", StringComparison.Ordinal);

    public string? Find(string key) => string.IsNullOrWhiteSpace(_all[key]) ? null : _all[key];

    public string? FindInFile(string key) => _file[key];

    /// <exception cref="CommandException">Nobody has set it.</exception>
    public string Require(string key) => Find(key) ?? throw CommandException.Usage($"{key} is not set", HowToSet(key));

    public static string HowToSet(string key)
    {
        var (section, name) = key.Split(':') is [var s, var n] ? (s, n) : ("", key);
        return $"Set {VariableOf(key)} in the environment, or {name} of {section} in the file of {FileOption.Name}.";
    }

    /// <summary>Address of a stand-in or emulator; null for Google's own.</summary>
    /// <param name="emulatorVariable">
    /// What Google's tools read, such as <c>STORAGE_EMULATOR_HOST</c>; null when they read nothing for this service.
    /// </param>
    public Uri? FindAddress(string key, string? emulatorVariable = null)
    {
        var (name, value) = Find(key) is not null || emulatorVariable is null
            ? (key, Find(key))
            : (emulatorVariable, Find(emulatorVariable));
        try
        {
            return GoogleCloudAddress.Parse(value);
        }
        catch (UriFormatException)
        {
            throw CommandException.Usage($"{name} is no address: {value}", "Write it as http://host:port or host:port.");
        }
    }

    /// <exception cref="CommandException">The catalogue contradicts itself.</exception>
    public BaseModelCatalogue ReadCatalogue() =>
        Read<BaseModelCatalogue>("the catalogue of base models is broken", BaseModelCatalogue.Section);

    /// <exception cref="CommandException">A setting of the export is not allowed.</exception>
    public ExportOptions ReadExportOptions() =>
        Read<ExportOptions>("the settings of the export are broken", ExportOptions.Section);

    /// <summary>What a preflight needs. Names that nobody has set stand in capitals in what it shows.</summary>
    /// <exception cref="CommandException">A setting is broken.</exception>
    public PreflightInstallation ReadInstallation(ExportOptions export) => new(
        new TuningTarget(
            $"projects/{Find("GoogleCloud:ProjectId") ?? "PROJECT"}/locations/{Find("GoogleCloud:Location") ?? "LOCATION"}",
            Find("GoogleCloud:Environment") ?? "ENVIRONMENT"),
        Find("GoogleCloud:Bucket") ?? "BUCKET",
        export,
        Read<TuningOptions>("the settings of the tuning are broken", TuningOptions.Section).AssumedEpochs,
        ReadCatalogue(),
        ReadVerification(),
        ReadSpendingTerms());

    /// <exception cref="CommandException">A setting of the spending, or of the catalogue, is not allowed.</exception>
    public SpendingTerms ReadSpendingTerms() => new(
        Read<SpendingOptions>("the settings of the spending are broken", SpendingOptions.Section), ReadCatalogue());

    /// <exception cref="CommandException">A setting is broken.</exception>
    public LineageReader ReadLineage() => new(
        ReadCatalogue(), Read<TuningOptions>("the settings of the tuning are broken", TuningOptions.Section).AssumedEpochs);

    private T Read<T>(string problem, string section)
        where T : class
    {
        var collection = new ServiceCollection().AddSingleton<IConfiguration>(_all).AddTuning().AddSpending();
        collection.AddOptions<ExportOptions>().BindConfiguration(ExportOptions.Section);
        collection.AddSingleton<IValidateOptions<ExportOptions>, ExportOptionsValidator>();
        using var services = collection.BuildServiceProvider();
        try
        {
            return services.GetRequiredService<IOptions<T>>().Value;
        }
        catch (Exception e) when (e is OptionsValidationException or InvalidOperationException)
        {
            throw CommandException.Usage($"{problem}: {e.Message}", HowToSet(section));
        }
    }

    /// <exception cref="CommandException">A setting is out of its limits.</exception>
    public VerificationOptions ReadVerification()
    {
        var options = _all.GetSection(VerificationOptions.Section).Get<VerificationOptions>() ?? new VerificationOptions();
        var result = new VerificationOptionsValidator().Validate(VerificationOptions.Section, options);
        return result.Failed
            ? throw CommandException.Usage(
                $"the settings of what is verified are broken: {result.FailureMessage}",
                HowToSet($"{VerificationOptions.Section}:{nameof(VerificationOptions.AcceptedStatuses)}"))
            : options;
    }

    private static IConfigurationBuilder WithFile(IConfigurationBuilder builder, string? file) =>
        file is null ? builder : builder.AddJsonFile(Path.GetFullPath(file));
}
