using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FeedbackLoop.Runs;

/// <summary>What is done with an example in which personal data was found.</summary>
public enum PiiPolicy
{
    /// <summary>The example is left out, reason <c>pii</c>.</summary>
    Exclude,

    /// <summary>Each match is replaced by a placeholder such as <c>[EMAIL]</c>, in the text and in the answer.</summary>
    Redact,

    /// <summary>The example goes in as it is.</summary>
    Allow,
}

/// <summary>Which verified objects become examples, and how they are divided.</summary>
public sealed record ExportCriteria
{
    /// <summary>Lowest confidence, 0 to 1, that counts as verified without a person.</summary>
    [Range(0.0, 1.0)]
    public double MinConfidence { get; init; } = 0.85;

    /// <summary>Only what a person has reviewed.</summary>
    public bool HumanReviewedOnly { get; init; }

    /// <summary>
    /// What one of this system's own tuned models found, and the product accepted without a person, counts as verified too: the
    /// model then learns from itself.
    /// </summary>
    public bool CountOwnAcceptances { get; init; }

    /// <summary>An object without a name is left out.</summary>
    public bool RequireName { get; init; } = true;

    /// <summary>An object whose description is not longer than this many characters is left out; −1 takes all.</summary>
    [Range(-1, 10_000)]
    public int DescriptionLongerThan { get; init; } = 20;

    /// <summary>
    /// An example is left out when more than this share of its chunk's objects is neither verified nor rejected: it would
    /// teach the model to leave things out.
    /// </summary>
    [Range(0.0, 1.0)]
    public double MaxUndecidedShare { get; init; } = 0.2;

    /// <summary>
    /// Most texts in which there is nothing to find, as a share of the train and validation examples. The held-out file takes
    /// all of its side.
    /// </summary>
    [Range(0.0, 0.5)]
    public double MaxEmptyShare { get; init; } = 0.1;

    public PiiPolicy Pii { get; init; } = PiiPolicy.Exclude;

    /// <summary>Vertex drops a longer example without an error, so it is left out here, with a reason.</summary>
    [Range(100, 1_000_000)]
    public int MaxTokens { get; init; } = 131_072;

    /// <summary>
    /// Gemini's tokens per token of o200k, the tokenizer at hand. An estimate, to be corrected from finished jobs'
    /// billable tokens.
    /// </summary>
    [Range(0.5, 3.0)]
    public double TokenFactor { get; init; } = 1.2;

    /// <summary>
    /// Share of the documents whose examples validate instead of train. At most a quarter of the training bytes validates,
    /// whatever the share.
    /// </summary>
    [Range(0.0, 0.23)]
    public double ValidationShare { get; init; } = 0.1;

    /// <summary>Vertex takes at most 5,000.</summary>
    [Range(0, 5_000)]
    public int MaxValidationExamples { get; init; } = 5_000;

    /// <summary>Decides the split and the order inside a file; the same seed and data give the same bytes.</summary>
    public long Seed { get; init; } = 20_260_101;

    /// <summary>Fewest examples worth a run. Null: the limit of the scope's tier, from the export options.</summary>
    [Range(1, 1_000_000)]
    public int? MinExamples { get; init; }
}

/// <summary>How Vertex tunes. What is null is left out of the request, and the service chooses.</summary>
public sealed record TuningParameters
{
    /// <summary>Base model of a new line of models. Null: the catalogue's default. Ignored on top of a general model.</summary>
    public string? BaseModel { get; init; }

    [Range(1, 100)]
    public int? Epochs { get; init; }

    [Range(0.001, 10.0)]
    public double? LearningRateMultiplier { get; init; }

    /// <summary>1, 2, 4, 8 or 16; what the base model takes is in the catalogue.</summary>
    [AllowedValues(null, 1, 2, 4, 8, 16)]
    public int? AdapterSize { get; init; }
}

/// <summary>What a run was asked to do. Immutable from its first row on.</summary>
public sealed record RunParameters(ExportCriteria Export, TuningParameters Tuning)
{
    public static RunParameters Default { get; } = new(new ExportCriteria(), new TuningParameters());

    public string ToJson() => JsonSerializer.Serialize(this, RunJson.Default.RunParameters);

    public static RunParameters FromJson(string json) =>
        JsonSerializer.Deserialize(json, RunJson.Default.RunParameters)
        ?? throw new JsonException("parameters are null");
}

/// <summary>How far the export of a run has come.</summary>
/// <param name="Candidates">Pairs of extraction job and chunk that were looked at.</param>
/// <param name="Examples">Of these, written to a file.</param>
/// <param name="Bytes">Written to both files.</param>
public sealed record ExportProgress(long Candidates, long Examples, long Bytes);

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(RunParameters))]
[JsonSerializable(typeof(ExportCriteria))]
[JsonSerializable(typeof(ExportProgress))]
internal sealed partial class RunJson : JsonSerializerContext;
