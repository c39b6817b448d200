using System.CommandLine;
using System.Globalization;
using FeedbackLoop.Cli.Arguments;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Spending;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace FeedbackLoop.Cli.Commands.Spending;

/// <param name="Stop">Null: nothing is stopped.</param>
/// <param name="Organizations">Those that somebody has set a limit for, or with something to pay for this month.</param>
internal sealed record SpendingReport(SpendingStop? Stop, DateOnly Month, IReadOnlyList<SpendingRow> Organizations);

/// <param name="CommittedUsd">The three sums together.</param>
/// <param name="LimitUsd">Null: none.</param>
/// <param name="Unpriced">What none of the sums holds, because nobody knows its price.</param>
internal sealed record SpendingRow(
    Guid OrganizationId, string Organization, decimal CommittedUsd, decimal TuningUsd, decimal EvaluationUsd,
    decimal ExtractionUsd, decimal? LimitUsd, bool IsDefaultLimit, IReadOnlyList<UnpricedUse> Unpriced);

/// <summary>What the installation may spend, and has.</summary>
internal sealed class SpendingCommand : OperatorCommand
{
    private readonly TimeProvider _time;
    private readonly Option<int> _limit = LimitedOption.Create("--limit", "How many organizations.", 50, 1, 1_000);

    public SpendingCommand(TimeProvider time)
        : base(
            "spending",
            "Shows whether spending is stopped, and what each organization has committed to tuning, evaluation and extraction in "
            + "this calendar month (UTC), against its limit. Sums are by our prices, and not Google's bill.")
    {
        _time = time;
        Options.Add(_limit);
    }

    public override IReadOnlyList<string> Examples => ["feedbackloop spending", "feedbackloop spending --json"];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        var settings = OperatorSettings.Read(arguments);
        await using var database = settings.OpenDatabase();
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var stop = await db.FindSpendingStopAsync(cancellationToken);
        var organizations = await db.ListSpendingAsync(
            arguments.GetValue(_limit), settings.ReadSpendingTerms(), now, cancellationToken);
        var report = new SpendingReport(
            stop, new DateOnly(now.UtcDateTime.Year, now.UtcDateTime.Month, 1),
            [.. organizations.Select(each => Row(each.Name, each.Spending))]);
        output.Result(report, CliJson.Default.SpendingReport, Page(report));
        return ExitCode.Done;
    }

    private static SpendingRow Row(string name, MonthlySpending spending) => new(
        spending.OrganizationId, name, spending.CommittedUsd, spending.TuningUsd, spending.EvaluationUsd,
        spending.ExtractionUsd, spending.LimitUsd, spending.IsDefaultLimit, spending.Unpriced);

    private static Rows Page(SpendingReport report)
    {
        var state = new Text(
            report.Stop is { } stop
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"All spending is stopped since {stop.StoppedAt.UtcDateTime:yyyy-MM-dd HH:mm'Z'} by {stop.StoppedBy}: {stop.Reason}")
                : "Nothing is stopped.",
            new Style(report.Stop is null ? Color.Green : Color.Red));
        return new Rows(state, Organizations(report));
    }

    private static IRenderable Organizations(SpendingReport report)
    {
        if (report.Organizations.Count == 0)
        {
            return new Text("No organization has a limit of its own, or anything committed this month.");
        }

        var table = CommandOutput.Table(
            "ORGANIZATION", $"COMMITTED IN {report.Month.ToString("yyyy-MM", CultureInfo.InvariantCulture)}", "TUNING",
            "EVALUATION", "EXTRACTION", "LIMIT");
        foreach (var row in report.Organizations)
        {
            table.AddRow(
                new Text(row.Organization), new Text(Usd(row.CommittedUsd)), new Text(Usd(row.TuningUsd)),
                new Text(Usd(row.EvaluationUsd)), new Text(Usd(row.ExtractionUsd)), new Text(Limit(row)));
        }

        return new Rows([table, .. report.Organizations.SelectMany(Unpriced)]);
    }

    private static string Limit(SpendingRow row) => row.LimitUsd is { } limit
        ? Usd(limit) + (row.IsDefaultLimit ? " (default)" : "")
        : "none";

    // Beside the sums, because it is in none of them.
    private static IEnumerable<Text> Unpriced(SpendingRow row) => row.Unpriced.Select(each => new Text(
        $"{row.Organization}: what {each.Kind} with {(each.BaseModel == "" ? "a model that was not noted" : each.BaseModel)} "
        + "has cost is not known."));

    private static string Usd(decimal amount) => $"{amount.ToString("0.00", CultureInfo.InvariantCulture)} USD";
}
