namespace FeedbackLoop.Runs;

/// <summary>
/// The least that an organization has done about personal data, in its own runs and in its projects'. Decides and does
/// nothing else.
/// </summary>
public static class PiiFloor
{
    /// <summary>
    /// Of an organization that has set none: nobody's run writes what was found as it stands. A project still chooses
    /// between leaving out and redacting, because both keep that promise.
    /// </summary>
    public const PiiPolicy Default = PiiPolicy.Redact;

    private const string Field = "export.pii";

    private static readonly PiiPolicy[] StrictestFirst = [PiiPolicy.Exclude, PiiPolicy.Redact, PiiPolicy.Allow];

    /// <param name="floor">Null: the organization has set none.</param>
    /// <returns>The field, what it may be, the floor and the value; null when a run may ask for it.</returns>
    public static FieldError? Check(PiiPolicy? floor, PiiPolicy wanted)
    {
        var least = floor ?? Default;
        var allowed = StrictestFirst[..(Array.IndexOf(StrictestFirst, least) + 1)];
        return allowed.Contains(wanted)
            ? null
            : new FieldError(
                Field,
                $"{Field} must be {string.Join(" or ", allowed.Select(WordOf))}, because the organization's floor for "
                + $"personal data is {WordOf(least)}, and is {WordOf(wanted)}");
    }

    /// <summary>As the database and the API name it.</summary>
    public static string WordOf(PiiPolicy policy) => policy switch
    {
        PiiPolicy.Exclude => "exclude",
        PiiPolicy.Redact => "redact",
        PiiPolicy.Allow => "allow",
        _ => throw new ArgumentOutOfRangeException(nameof(policy), policy, "no policy"),
    };

    /// <param name="word">As <see cref="WordOf"/> gives it; held to that by a check constraint.</param>
    public static PiiPolicy Parse(string word) => StrictestFirst.First(policy => WordOf(policy) == word);
}
