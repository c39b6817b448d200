using System.Globalization;

namespace FeedbackLoop.Spending;

/// <summary>Whether a person must approve a training before its tuning job is made. Decides and does nothing else.</summary>
public static class ApprovalRule
{
    /// <param name="estimateUsd">Of the job that is about to be made. Null: nobody knows, and there is nothing to compare.</param>
    /// <param name="lastUsd">Estimate of the scope's last tuning job; null: this is the first one.</param>
    /// <param name="approvedUsd">What a person has approved for this run; null: nobody was asked.</param>
    /// <returns>Why a person is asked, with the figures; null when the job may be made.</returns>
    public static string? Ask(decimal? estimateUsd, decimal? lastUsd, decimal? approvedUsd, SpendingOptions options)
    {
        if (estimateUsd is not { } estimate || approvedUsd >= estimate)
        {
            return null;
        }

        var why = estimate > options.ApprovalUsd
            ? $"more than the {Usd(options.ApprovalUsd)} USD that may be spent without an approval"
            : lastUsd is > 0 and var last && estimate > last * options.ApprovalFactor
                ? $"more than {options.ApprovalFactor.ToString("0.##", CultureInfo.InvariantCulture)} times the {Usd(last)} USD of "
                    + "the last training"
                : null;
        var before = approvedUsd is { } approved ? $"; {Usd(approved)} USD were approved" : "";
        return why is null ? null : $"the training is estimated at {Usd(estimate)} USD, {why}{before}";
    }

    private static string Usd(decimal amount) => amount.ToString("0.00##", CultureInfo.InvariantCulture);
}
