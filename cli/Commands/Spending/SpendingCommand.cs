using System.CommandLine;
using System.Globalization;
using FeedbackLoop.Cli.Arguments;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Spending;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace FeedbackLoop.Cli.Commands.Spending;

/// <param name="Stop">Null: trainings may begin.</param>
/// <param name="Organizations">Those with a limit, or with something committed this month.</param>
internal sealed record SpendingReport(SpendingStop? Stop, DateOnly Month, IReadOnlyList<SpendingRow> Organizations);

internal sealed record SpendingRow(Guid OrganizationId, string Organization, decimal CommittedUsd, decimal? LimitUsd);

/// <summary>What the installation may spend, and has.</summary>
internal sealed class SpendingCommand : OperatorCommand
{
    private readonly TimeProvider _time;
    private readonly Option<int> _limit = LimitedOption.Create("--limit", "How many organizations.", 50, 1, 1_000);

    public SpendingCommand(TimeProvider time)
        : base(
            "spending",
            "Shows whether trainings are stopped, and what each organization has committed to tuning jobs in this calendar "
            + "month (UTC), against its limit. Sums are our estimates, not Google's bill.")
    {
        _time = time;
        Options.Add(_limit);
    }

    public override IReadOnlyList<string> Examples => ["feedbackloop spending", "feedbackloop spending --json"];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        await using var database = OperatorSettings.Read(arguments).OpenDatabase();
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var stop = await db.FindSpendingStopAsync(cancellationToken);
        var organizations = await db.ListSpendingAsync(arguments.GetValue(_limit), now, cancellationToken);
        var report = new SpendingReport(
            stop, new DateOnly(now.UtcDateTime.Year, now.UtcDateTime.Month, 1),
            [.. organizations.Select(each => new SpendingRow(
                each.Spending.OrganizationId, each.Name, each.Spending.CommittedUsd, each.Spending.LimitUsd))]);
        output.Result(report, CliJson.Default.SpendingReport, Page(report));
        return ExitCode.Done;
    }

    private static Rows Page(SpendingReport report)
    {
        var state = new Text(
            report.Stop is { } stop
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"All trainings are stopped since {stop.StoppedAt.UtcDateTime:yyyy-MM-dd HH:mm'Z'} by {stop.StoppedBy}: {stop.Reason}")
                : "Trainings may begin.",
            new Style(report.Stop is null ? Color.Green : Color.Red));
        return new Rows(state, Organizations(report));
    }

    private static IRenderable Organizations(SpendingReport report)
    {
        if (report.Organizations.Count == 0)
        {
            return new Text("No organization has a limit, or anything committed this month.");
        }

        var table = CommandOutput.Table(
            "ORGANIZATION", $"COMMITTED IN {report.Month.ToString("yyyy-MM", CultureInfo.InvariantCulture)}", "LIMIT");
        foreach (var row in report.Organizations)
        {
            table.AddRow(new Text(row.Organization), new Text(Usd(row.CommittedUsd)), new Text(row.LimitUsd is { } limit ? Usd(limit) : "–"));
        }

        return table;
    }

    private static string Usd(decimal amount) => $"{amount.ToString("0.00", CultureInfo.InvariantCulture)} USD";
}
