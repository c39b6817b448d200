using System.Globalization;

namespace FeedbackLoop.Spending;

/// <summary>Since when, by whom and why no tuning job of the installation is made.</summary>
public sealed record SpendingStop(DateTimeOffset StoppedAt, string StoppedBy, string Reason);

/// <summary>What an organization may spend on tuning jobs in a calendar month, and what it has.</summary>
/// <param name="Month">Its first day, in UTC.</param>
/// <param name="LimitUsd">Null: no limit.</param>
/// <param name="CommittedUsd">
/// Estimates of the jobs that were asked for in the month, those that run among them. Google's bill is another figure: an
/// estimate assumes epochs where Vertex chooses them, and knows no discount.
/// </param>
public sealed record MonthlySpending(Guid OrganizationId, DateOnly Month, decimal? LimitUsd, decimal CommittedUsd)
{
    public bool IsExhausted => LimitUsd is { } limit && CommittedUsd >= limit;
}

/// <summary>Whether a tuning job may be paid for. Decides and does nothing else.</summary>
public static class SpendingRule
{
    /// <param name="estimateUsd">Of the job that is about to be made.</param>
    /// <returns>Why not, with the figures; null when it may.</returns>
    public static string? Refuse(SpendingStop? stop, MonthlySpending spending, decimal estimateUsd) =>
        stop is not null ? Words(stop)
        : spending.LimitUsd is { } limit && spending.CommittedUsd + estimateUsd > limit
            ? $"the training is estimated at {Usd(estimateUsd)} USD; with {Usd(spending.CommittedUsd)} USD already committed in "
                + $"{Month(spending)} it would pass the organization's monthly limit of {Usd(limit)} USD"
            : null;

    /// <summary>The same before anything is known of the job.</summary>
    /// <returns>Why no training should even begin; null when one may.</returns>
    public static string? Hold(SpendingStop? stop, MonthlySpending? spending) =>
        stop is not null ? Words(stop)
        : spending is { IsExhausted: true, LimitUsd: { } limit }
            ? $"the organization's monthly limit of {Usd(limit)} USD is used up: {Usd(spending.CommittedUsd)} USD are "
                + $"committed in {Month(spending)}"
            : null;

    // Not by whom: every organization reads this, and the operator's name is none of theirs.
    private static string Words(SpendingStop stop) =>
        FormattableString.Invariant(
            $"all trainings are stopped since {stop.StoppedAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC: ")
        + stop.Reason;

    private static string Usd(decimal amount) => amount.ToString("0.00##", CultureInfo.InvariantCulture);

    private static string Month(MonthlySpending spending) =>
        spending.Month.ToString("MMMM yyyy", CultureInfo.InvariantCulture);
}
