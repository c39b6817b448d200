namespace FeedbackLoop.Extraction;

/// <summary>
/// How much of a project's types a prompt shows, whatever its registry and its objects say. Every training line and
/// every extraction pays for it: with these a system instruction has at most some 35,000 characters.
/// </summary>
public static class PromptLimits
{
    /// <summary>Entity types, and likewise relationship types.</summary>
    public const int MostTypes = 100;

    /// <summary>Unicode code points of a type's name, and of a field's.</summary>
    public const int LongestName = 60;

    /// <summary>UTF-16 characters of what is said about one type.</summary>
    public const int LongestDescription = 300;

    /// <summary>Fields of one type.</summary>
    public const int MostFields = 30;

    /// <summary>UTF-16 characters of all descriptions and fields of a prompt together.</summary>
    public const int MostText = 20_000;

    /// <summary>Types of a kind that are looked at to find <see cref="MostTypes"/> that may be shown.</summary>
    public const int MostRead = 500;

    /// <summary>Characters of a type's JSON schema; a longer one says nothing of its fields.</summary>
    public const int LongestSchema = 100_000;

    /// <summary>Left out parts of a project that are named; the rest is only counted.</summary>
    public const int MostNamed = 50;
}
