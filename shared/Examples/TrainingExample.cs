namespace FeedbackLoop.Examples;

/// <param name="PropertiesJson">UTF-8 JSON object in canonical form; <c>{}</c> when there are none.</param>
public sealed record ExampleEntity(
    string Type, string Name, string Description, string? BusinessKey, ReadOnlyMemory<byte> PropertiesJson);

/// <param name="Description">Null when the relationship has none.</param>
/// <param name="SourceType">Only where another entity of the example has the source's name, else null.</param>
/// <param name="TargetType">Likewise of the target.</param>
public sealed record ExampleRelationship(
    string SourceName, string TargetName, string Type, string? Description, string? SourceType = null,
    string? TargetType = null);

/// <summary>A chunk's text and the answer that a model should give to it.</summary>
/// <param name="Entities">In the order in which the text names them.</param>
/// <param name="Relationships">In the order of their sources, then of their targets.</param>
public sealed record TrainingExample(
    string Text, IReadOnlyList<ExampleEntity> Entities, IReadOnlyList<ExampleRelationship> Relationships)
{
    /// <summary>A verified negative: the right answer is that there is nothing to find.</summary>
    public bool IsEmpty => Entities.Count == 0;
}

/// <summary>Why a candidate does not become an example, as metadata and metrics name it.</summary>
public static class ExclusionReason
{
    /// <summary>No way names the chunk that the objects were extracted from.</summary>
    public const string NoSourceChunk = "no_source_chunk";

    /// <summary>Its document was forgotten, by an operator's <c>forget-document</c>.</summary>
    public const string Forgotten = "forgotten";

    public const string EmptyText = "empty_text";

    /// <summary>Too many objects of the chunk are neither verified nor rejected.</summary>
    public const string UndecidedObjects = "undecided_objects";

    public const string NoEntity = "no_entity";

    /// <summary>What is verified is of types that the project's prompt does not list.</summary>
    public const string UnlistedType = "unlisted_type";

    /// <summary>Half of a surrogate pair: the text would change on its way.</summary>
    public const string InvalidText = "invalid_text";

    /// <summary>The answer is not JSON that an ordinary reader takes, for example nested more than 64 deep.</summary>
    public const string InvalidAnswer = "invalid_answer";

    public const string Pii = "pii";

    public const string TooManyTokens = "too_many_tokens";

    /// <summary>Same text and same answer as an example that is in already.</summary>
    public const string Duplicate = "duplicate";

    /// <summary>Its text stands in another document too, on the other side of what is held out.</summary>
    public const string HeldOutText = "held_out_text";

    /// <summary>A text with nothing to find, beyond the share of such texts.</summary>
    public const string EmptyShare = "empty_share";

    /// <summary>Decided by a person who has decided about more than one person's share.</summary>
    public const string ContributorShare = "contributor_share";

    /// <summary>On the validation side, beyond what may validate beside the examples that train.</summary>
    public const string ValidationFull = "validation_full";
}

/// <summary>Parts of an accepted candidate that do not go into its example.</summary>
/// <param name="NotMeaningful">Verified objects without a name, or with too short a description.</param>
/// <param name="OutsideExample">Relationships to an object that is not in the example.</param>
/// <param name="LeftOutType">
/// Verified objects and relationships of types that the project's prompt does not list.
/// </param>
/// <param name="Answer">What it came to when the rest was put into one answer.</param>
public readonly record struct LeftOut(
    int NotMeaningful, int OutsideExample, int LeftOutType = 0, AnswerCounts Answer = default);

/// <summary>What it took to make one answer of a chunk's entities and relationships.</summary>
/// <param name="RepeatedEntities">Entities that went into another one of the same type and name.</param>
/// <param name="RepeatedRelationships">Relationships that went into another one of the same ends and type.</param>
/// <param name="ToItself">Relationships of an entity with itself.</param>
/// <param name="Ambiguous">Relationships of an entity without a name, which nothing can refer to.</param>
/// <param name="NotInText">Entities of the answer whose name does not stand in the text. They stay in.</param>
public readonly record struct AnswerCounts(
    long RepeatedEntities, long RepeatedRelationships, long ToItself, long Ambiguous, long NotInText)
{
    public static AnswerCounts operator +(AnswerCounts one, AnswerCounts other) => Add(one, other);

    public static AnswerCounts Add(AnswerCounts one, AnswerCounts other) => new(
        one.RepeatedEntities + other.RepeatedEntities, one.RepeatedRelationships + other.RepeatedRelationships,
        one.ToItself + other.ToItself, one.Ambiguous + other.Ambiguous, one.NotInText + other.NotInText);
}
