using System.Globalization;
using FeedbackLoop.AdminApi.Problems;
using FeedbackLoop.Runs;
using Microsoft.AspNetCore.Mvc;

namespace FeedbackLoop.AdminApi.Runs;

/// <summary>What narrows a list of runs.</summary>
/// <param name="CreatedFrom">An instant of RFC 3339, as <c>2026-11-01T00:00:00Z</c>: runs that were created then or later.</param>
/// <param name="CreatedBefore">Likewise: runs that were created earlier.</param>
internal sealed record RunFilterInput(
    [FromQuery(Name = "state")] string? State = null,
    [FromQuery(Name = "trigger")] string? Trigger = null,
    [FromQuery(Name = "createdFrom")] string? CreatedFrom = null,
    [FromQuery(Name = "createdBefore")] string? CreatedBefore = null)
{
    // Without the time zone an instant would mean another one on each server.
    private static readonly string[] Instants = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    /// <summary>The filter, as far as it has no errors.</summary>
    public RunFilter Read(ICollection<FieldError> errors)
    {
        Check(errors, "state", State, RunTransitions.All);
        Check(errors, "trigger", Trigger, RunTrigger.All);
        return new RunFilter(
            State, Trigger, ReadInstant(errors, "createdFrom", CreatedFrom), ReadInstant(errors, "createdBefore", CreatedBefore));
    }

    private static void Check(
        ICollection<FieldError> errors, string field, string? word, IReadOnlyCollection<string> words)
    {
        if (word is not null && !words.Contains(word))
        {
            errors.Add(FieldErrors.NotOneOf(field, words));
        }
    }

    private static DateTimeOffset? ReadInstant(ICollection<FieldError> errors, string field, string? text)
    {
        if (text is null)
        {
            return null;
        }

        if (DateTime.TryParseExact(
                text, Instants, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out var instant)
            && instant.Kind == DateTimeKind.Utc)
        {
            return instant;
        }

        errors.Add(new FieldError(field, $"{field} must be an instant such as 2026-11-01T00:00:00Z"));
        return null;
    }
}
