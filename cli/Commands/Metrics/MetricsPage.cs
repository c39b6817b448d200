using System.Globalization;
using FeedbackLoop.Metrics;
using FeedbackLoop.Runs;
using FeedbackLoop.Selection;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace FeedbackLoop.Cli.Commands.Metrics;

/// <summary>The figures of extractions for people.</summary>
internal static class MetricsPage
{
    private const string None = "–";

    public static Rows Of(Scope scope, ExtractionMetrics metrics)
    {
        var head = new Text(string.Create(
            CultureInfo.InvariantCulture,
            $"{metrics.Total.Extractions:N0} extractions of {scope}, {Day(metrics.From)} to {Day(metrics.To)} (UTC)."));
        if (metrics.Total.Extractions == 0)
        {
            return new Rows(head);
        }

        return new Rows(
            head, Blank, new Text(metrics.TunedAgainstBase.Sentence, StyleOf(metrics.TunedAgainstBase.Verdict)), Blank,
            Tiers(metrics), Blank, Reviews(metrics), Blank, EmptyTexts(metrics), Blank, Models(metrics), Blank, OverTime(metrics));
    }

    private static Text Blank => new("");

    private static Table Tiers(ExtractionMetrics metrics)
    {
        var table = CommandOutput.Table(
            "TIER", "EXTRACTIONS", "SHARE", "ACCURACY", "KEPT", "NEEDS REVIEW", "FALLBACKS", "INVALID", "REPAIRED", "P50 MS",
            "P95 MS", "TOKENS IN", "TOKENS OUT", "COST");
        foreach (var (tier, figures) in Lines(metrics))
        {
            Add(
                table, tier, Number(figures.Extractions), Percent(figures.UsageShare), Told(figures.Accuracy),
                Percent(figures.Kept.Rate), Percent(figures.NeedsReview.Rate), Percent(figures.Fallbacks.Rate),
                Percent(figures.Invalid.Rate), Percent(figures.Repaired.Rate), Number(figures.Latency.P50Ms),
                Number(figures.Latency.P95Ms), Number(figures.Tokens.Input), Number(figures.Tokens.Output),
                Usd(figures.CostUsd));
        }

        return table;
    }

    private static Table Reviews(ExtractionMetrics metrics)
    {
        var table = CommandOutput.Table(
            "OBJECTS OF", "ACCEPTED", "CORRECTED", "REJECTED", "ACCEPTED WITHOUT REVIEW", "REJECTED WITHOUT REVIEW", "UNDECIDED",
            "GONE", "CORRECTED IN");
        foreach (var (tier, figures) in Lines(metrics))
        {
            var reviews = figures.Reviews;
            Add(
                table, tier, Number(reviews.Accepted), Number(reviews.Corrected), Number(reviews.Rejected),
                Number(reviews.AcceptedWithoutReview), Number(reviews.RejectedWithoutReview), Number(reviews.Undecided),
                Number(reviews.Gone), CorrectedIn(reviews.Corrections));
        }

        return table;
    }

    private static IRenderable EmptyTexts(ExtractionMetrics metrics)
    {
        if (metrics.Total.EmptyTexts.Texts == 0)
        {
            return new Text("No extracted text is known to hold nothing to find.");
        }

        var table = CommandOutput.Table("NOTHING TO FIND", "TEXTS", "WITH INVENTIONS", "INVENTED", "INVENTED PER TEXT");
        foreach (var (tier, figures) in Lines(metrics).Where(line => line.Figures.EmptyTexts.Texts > 0))
        {
            Add(table, tier, figures.EmptyTexts);
        }

        foreach (var model in metrics.Models.Where(model => model.Figures.EmptyTexts.Texts > 0))
        {
            Add(
                table, model.Version is { } version ? $"{model.Tier}, version {version}" : model.BaseModel ?? None,
                model.Figures.EmptyTexts);
        }

        return table;
    }

    private static void Add(Table table, string name, EmptyTextFigures figures) => Add(
        table, name, Number(figures.Texts), Number(figures.WithInventions), Number(figures.InventedObjects),
        figures.InventedPerText is { } mean ? string.Create(CultureInfo.InvariantCulture, $"{mean:0.00}") : None);

    private static Table Models(ExtractionMetrics metrics)
    {
        var table = CommandOutput.Table(
            "MODEL", "VERSION", "TIER", "BASE MODEL", "EXTRACTIONS", "SHARE", "ACCURACY", "P50 MS", "P95 MS", "COST");
        foreach (var model in metrics.Models)
        {
            Add(
                table, model.ModelId?.ToString() ?? None, Number(model.Version), model.Tier, model.BaseModel ?? None,
                Number(model.Figures.Extractions), Percent(model.Figures.UsageShare), Told(model.Figures.Accuracy),
                Number(model.Figures.Latency.P50Ms), Number(model.Figures.Latency.P95Ms), Usd(model.Figures.CostUsd));
        }

        if (metrics.ModelsLeftOut > 0)
        {
            Add(table, $"and {Number(metrics.ModelsLeftOut)} more", "", "", "", "", "", "", "", "", "");
        }

        return table;
    }

    // What a single model made of a single day stands in --json: there is no room for it beside the others.
    private static Table OverTime(ExtractionMetrics metrics)
    {
        var table = CommandOutput.Table(
            metrics.Bucket == "day" ? "DAY" : "WEEK FROM", "EXTRACTIONS", "ACCURACY", "PROJECT", "GENERAL", "BASE", "NEEDS REVIEW");
        var byTier = metrics.Tiers.ToDictionary(
            tier => tier.Tier, tier => tier.Figures.OverTime.ToDictionary(point => point.From));
        foreach (var point in metrics.Total.OverTime.Where(point => point.Extractions > 0))
        {
            Add(
                table, Day(point.From), Number(point.Extractions), Told(point.Accuracy), Of(ModelTier.Project),
                Of(ModelTier.General), Of(ModelTier.Base), Percent(point.NeedsReview.Rate));

            string Of(string tier) => byTier[tier].TryGetValue(point.From, out var part) ? Told(part.Accuracy) : None;
        }

        return table;
    }

    private static IEnumerable<(string Tier, ExtractionFigures Figures)> Lines(ExtractionMetrics metrics) =>
        metrics.Tiers.Select(tier => (tier.Tier, tier.Figures)).Append(("all", metrics.Total));

    private static string CorrectedIn(Corrections corrections)
    {
        var parts = new[]
        {
            ("type", corrections.Type), ("name", corrections.Name), ("description", corrections.Description),
            ("properties", corrections.Properties), ("business key", corrections.BusinessKey),
        };
        var told = parts.Where(part => part.Item2 > 0).Select(part => $"{part.Item1} {Number(part.Item2)}").ToList();
        return told.Count == 0 ? None : string.Join(", ", told);
    }

    private static string Told(Estimate estimate) => estimate is { Rate: { } rate, Low: { } low, High: { } high }
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"{100 * rate:0.0} % ({100 * low:0} to {100 * high:0}), {estimate.Count:N0} of {estimate.Of:N0}")
        : None;

    private static string Percent(double? rate) =>
        rate is { } known ? string.Create(CultureInfo.InvariantCulture, $"{100 * known:0.0} %") : None;

    private static string Number(long? value) =>
        value is { } known ? known.ToString("N0", CultureInfo.InvariantCulture) : None;

    private static string Usd(decimal? amount) =>
        amount is { } known ? string.Create(CultureInfo.InvariantCulture, $"{known:0.00##} USD") : "unknown";

    private static string Day(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static Style StyleOf(string verdict) => new(verdict switch
    {
        TuningVerdict.Better => Color.Green,
        TuningVerdict.Worse => Color.Red,
        _ => Color.Grey,
    });

    private static void Add(Table table, params string[] cells) =>
        table.AddRow(cells.Select(cell => (IRenderable)new Text(cell)));
}
