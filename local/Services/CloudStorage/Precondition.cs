using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace FeedbackLoop.Local.CloudStorage;

/// <summary>The state that a reader or deleter wants an object to be in.</summary>
/// <param name="Generation">The version that is meant; another one is "not found".</param>
/// <param name="IfGenerationMatch">The version that must be live; another one is 412.</param>
internal sealed record Precondition(long? Generation, long? IfGenerationMatch)
{
    // A condition that is silently ignored would make a test pass that fails in the cloud.
    private static readonly string[] NotHere =
    [
        "ifGenerationNotMatch", "ifMetagenerationMatch", "ifMetagenerationNotMatch", "ifSourceGenerationNotMatch",
        "ifSourceMetagenerationMatch", "ifSourceMetagenerationNotMatch", "softDeleted", "matchGlob", "startOffset",
        "endOffset", "kmsKeyName",
    ];

    public static Precondition None { get; } = new(null, null);

    public static Precondition Read(IQueryCollection query) =>
        new(Number(query, "generation"), Number(query, "ifGenerationMatch"));

    /// <summary>The condition on the source of a copy.</summary>
    public static Precondition ReadSource(IQueryCollection query) =>
        new(Number(query, "sourceGeneration"), Number(query, "ifSourceGenerationMatch"));

    public static long? Number(IQueryCollection query, string name)
    {
        if (!query.TryGetValue(name, out var text))
        {
            return null;
        }

        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw StorageRefusal.Invalid($"Invalid value for: {name}");
    }

    public static void RefuseUnknown(IQueryCollection query)
    {
        if (NotHere.FirstOrDefault(query.ContainsKey) is { } name)
        {
            throw StorageRefusal.NotHere($"parameter {name}");
        }
    }

    /// <returns>The object, or null when the one that is meant does not exist.</returns>
    public StoredObject? Check(StoredObject? live)
    {
        if (live is null || (Generation is { } meant && meant != live.Generation))
        {
            return null;
        }

        return IfGenerationMatch is { } expected && expected != live.Generation
            ? throw StorageRefusal.ConditionNotMet()
            : live;
    }

    /// <param name="ifGenerationMatch">0: there must be no object.</param>
    public static void CheckWrite(StoredObject? live, long? ifGenerationMatch)
    {
        if (ifGenerationMatch is { } expected && expected != (live?.Generation ?? 0))
        {
            throw StorageRefusal.ConditionNotMet();
        }
    }

    public static void CheckDigest(string kind, string? declared, string computed)
    {
        if (declared is not null && declared != computed)
        {
            throw StorageRefusal.Invalid(
                $"Provided {kind} \"{declared}\" doesn't match calculated {kind} \"{computed}\".");
        }
    }
}
