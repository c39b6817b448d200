using System.Globalization;

namespace FeedbackLoop.Spending;

/// <summary>Since when, by whom and why no tuning job of the installation is made.</summary>
public sealed record SpendingStop(DateTimeOffset StoppedAt, string StoppedBy, string Reason)
{
    /// <summary>Not by whom: every organization reads this, and the operator's name is none of theirs.</summary>
    public string InWords() =>
        FormattableString.Invariant($"all spending is stopped since {StoppedAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC: ") + Reason;
}

/// <summary>What costs money, as <c>ml.monthly_tokens.kind</c> and the sums of a month name it.</summary>
public static class SpendingKind
{
    public const string Tuning = "tuning";
    public const string Evaluation = "evaluation";
    public const string Extraction = "extraction";
}

/// <summary>Something of a month whose price nobody knows: it is missing in the sums.</summary>
/// <param name="Kind">One of <see cref="SpendingKind"/>.</param>
/// <param name="BaseModel">Asked or tuned; empty: whoever wrote down the answer has not said.</param>
public sealed record UnpricedUse(string Kind, string BaseModel);

/// <summary>What an organization may spend in a calendar month, and what it has.</summary>
/// <param name="Month">Its first day, in UTC.</param>
/// <param name="LimitUsd">Null: no limit.</param>
/// <param name="IsDefaultLimit">Whether it is the installation's, because nobody has set one for the organization.</param>
/// <param name="TuningUsd">
/// Of the jobs that were asked for in the month, those that run among them: what the service has counted once that is known,
/// the estimate until then. Google's bill is another figure: it knows discounts.
/// </param>
/// <param name="EvaluationUsd">Answers to held-out chunks, by the catalogue's prices of today.</param>
/// <param name="ExtractionUsd">Answers to extractions, likewise.</param>
/// <param name="Unpriced">What none of the sums holds.</param>
public sealed record MonthlySpending(
    Guid OrganizationId, DateOnly Month, decimal? LimitUsd, bool IsDefaultLimit, decimal TuningUsd, decimal EvaluationUsd,
    decimal ExtractionUsd, IReadOnlyList<UnpricedUse> Unpriced)
{
    public decimal CommittedUsd => TuningUsd + EvaluationUsd + ExtractionUsd;
}

/// <summary>Whether something may be paid for. Decides and does nothing else.</summary>
public static class SpendingRule
{
    /// <param name="estimateUsd">Of the job that is about to be made; null: its base model has no price.</param>
    /// <param name="baseModel">Of that job.</param>
    /// <returns>Why not, with the figures; null when it may.</returns>
    public static string? Refuse(
        SpendingStop? stop, MonthlySpending spending, decimal? estimateUsd, string baseModel) =>
        (stop, spending.LimitUsd, estimateUsd) switch
        {
            ({ } stopped, _, _) => stopped.InWords(),
            (_, null, _) => null,
            (_, { } limit, null) =>
                $"what a training of {baseModel} costs is not known, and the organization has a {Words(spending, limit)}: set "
                + $"TrainingPrice of {baseModel} in BaseModels:Models",
            (_, { } limit, { } usd) => Unknown(spending, limit)
                ?? Over(spending, limit, usd, $"the training is estimated at {Usd(usd)} USD"),
        };

    /// <summary>The same before anything is known of the job.</summary>
    /// <returns>Why no training should even begin; null when one may.</returns>
    public static string? Hold(SpendingStop? stop, MonthlySpending? spending) =>
        (stop, spending) switch
        {
            ({ } stopped, _) => stopped.InWords(),
            (_, { LimitUsd: { } limit }) when spending.CommittedUsd >= limit =>
                $"the organization's {Words(spending, limit)} is used up: {Usd(spending.CommittedUsd)} USD are committed in "
                + Month(spending),
            (_, { LimitUsd: { } limit }) => Unknown(spending, limit),
            _ => null,
        };

    /// <param name="estimateUsd">Of the answers that are missing.</param>
    /// <param name="unpriced">Models among those to be asked that have no price.</param>
    /// <returns>Why a new model may not be compared any further; null when it may.</returns>
    public static string? RefuseEvaluation(
        MonthlySpending spending, decimal estimateUsd, IReadOnlyList<string> unpriced) =>
        (spending.LimitUsd, unpriced) switch
        {
            (null, _) => null,
            ({ } limit, [_, ..]) =>
                $"what answers of {string.Join(" and ", unpriced)} cost is not known, and the organization has "
                + $"a {Words(spending, limit)}: set InputPrice and OutputPrice of {string.Join(" and ", unpriced)} in "
                + "BaseModels:Models",
            ({ } limit, _) => Unknown(spending, limit)
                ?? Over(
                    spending, limit, estimateUsd,
                    $"what is left of the comparison is estimated at {Usd(estimateUsd)} USD"),
        };

    private static string? Over(MonthlySpending spending, decimal limit, decimal usd, string what) =>
        spending.CommittedUsd + usd <= limit
            ? null
            : $"{what}; with {Usd(spending.CommittedUsd)} USD already committed in {Month(spending)} it would pass the "
                + $"organization's {Words(spending, limit)}";

    // A sum that something is missing in is compared with nothing. What no setting would mend is shown and does not stop.
    private static string? Unknown(MonthlySpending spending, decimal limit)
    {
        string[] models = [.. spending.Unpriced
            .Where(each => each.Kind != SpendingKind.Tuning && each.BaseModel != "")
            .Select(each => each.BaseModel)
            .Distinct()
            .Order(StringComparer.Ordinal)];
        return models.Length == 0
            ? null
            : $"what answers of {string.Join(" and ", models)} have cost in {Month(spending)} is not known, and the organization "
                + $"has a {Words(spending, limit)}: set InputPrice and OutputPrice of {string.Join(" and ", models)} in "
                + "BaseModels:Models";
    }

    private static string Words(MonthlySpending spending, decimal limit) =>
        $"monthly limit of {Usd(limit)} USD" + (spending.IsDefaultLimit ? " (the installation's default)" : "");

    private static string Usd(decimal amount) => amount.ToString("0.00##", CultureInfo.InvariantCulture);

    private static string Month(MonthlySpending spending) =>
        spending.Month.ToString("MMMM yyyy", CultureInfo.InvariantCulture);
}
