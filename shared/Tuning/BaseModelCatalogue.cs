using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Tuning;

/// <summary>How a model is told not to think before it answers; tuned models are served that way.</summary>
public enum ThinkingSetting
{
    /// <summary>Thinking level MINIMAL: Gemini 3 and later.</summary>
    Minimal,

    /// <summary>Thinking budget 0: Gemini 2.5 and earlier.</summary>
    Off,

    /// <summary>Nothing is said: the model refuses both, or always thinks.</summary>
    Unset,
}

/// <summary>What a model's tokens cost, in US dollars per million.</summary>
/// <param name="Output">Of answer and thoughts.</param>
public readonly record struct TokenPrice(decimal Input, decimal Output)
{
    private const decimal Million = 1_000_000m;

    /// <returns>US dollars.</returns>
    public decimal Of(long inputTokens, long outputTokens) => ((inputTokens * Input) + (outputTokens * Output)) / Million;
}

/// <summary>A base model of Vertex AI, and what can be done with it.</summary>
public sealed class BaseModel
{
    /// <summary>Vertex's id, such as <c>gemini-3.5-flash</c>.</summary>
    [Required]
    public string Id { get; init; } = "";

    /// <summary>Whether it takes tuning jobs at all.</summary>
    public bool Tunable { get; init; }

    /// <summary>Whether a model tuned from it can be tuned again.</summary>
    public bool ContinuousTuning { get; init; }

    /// <summary>
    /// Per region that takes tuning jobs, the location that answers for what is tuned there. Gemini 3 is served by
    /// multi-regions only: <c>us-central1</c> by <c>us</c>.
    /// </summary>
    [MinLength(1)]
    public IReadOnlyDictionary<string, string> ServingLocations { get; init; } = new Dictionary<string, string>();

    /// <summary>Adapter sizes that a tuning job of it may name.</summary>
    public IReadOnlyList<int> AdapterSizes { get; init; } = [];

    /// <summary>
    /// USD per million tokens of the training file, per epoch. Null: not known; then no organization with a monthly limit tunes it.
    /// </summary>
    [Range(0.000_1, 10_000.0)]
    public decimal? TrainingPrice { get; init; }

    /// <summary>USD per million tokens of prompt to the base model. Null: not known, and so is what extractions cost.</summary>
    [Range(0.000_1, 10_000.0)]
    public decimal? InputPrice { get; init; }

    /// <summary>USD per million tokens of answer from the base model; null with <see cref="InputPrice"/>.</summary>
    [Range(0.000_1, 10_000.0)]
    public decimal? OutputPrice { get; init; }

    /// <summary>What a tuned model's tokens cost, as a multiple of the base model's.</summary>
    [Range(1.0, 100.0)]
    public decimal TunedPriceMultiplier { get; init; } = 1;

    /// <summary>First day without the model, and without what was tuned from it. Null: none is announced.</summary>
    public DateOnly? RetiresOn { get; init; }

    /// <summary>First day that takes no new tuning job. Null: as long as the model lives.</summary>
    public DateOnly? TuningBlockedFrom { get; init; }

    /// <summary>Id of the model to move to.</summary>
    public string? Successor { get; init; }

    /// <summary>
    /// How it is told not to think before it answers: by level (Gemini 3 and later), by a budget of 0 (2.5 and earlier), or not
    /// at all.
    /// </summary>
    public ThinkingSetting Thinking { get; init; } = ThinkingSetting.Unset;
}

/// <summary>The base models that this installation knows, bound from the <c>BaseModels</c> section.</summary>
public sealed class BaseModelCatalogue
{
    public const string Section = "BaseModels";

    /// <summary>Tuned when a run names no model, and asked when no tuned model is ready.</summary>
    [Required]
    public string DefaultId { get; init; } = "";

    [MinLength(1), ValidateEnumeratedItems]
    public IReadOnlyList<BaseModel> Models { get; init; } = [];

    public BaseModel GetDefault() => Get(DefaultId);

    public BaseModel? Find(string id) => Models.FirstOrDefault(model => model.Id == id);

    /// <exception cref="InvalidOperationException">The model is not in the catalogue.</exception>
    public BaseModel Get(string id) =>
        Find(id) ?? throw new InvalidOperationException($"base model {id} is not in the catalogue");

    /// <param name="id">Of the base model, or of the one that a tuned model was made from; null: it is not known.</param>
    /// <param name="isTuned">Tuned models have a price of their own.</param>
    /// <returns>Null when nobody knows it.</returns>
    public TokenPrice? FindServingPrice(string? id, bool isTuned)
    {
        if (id is null || Find(id) is not { InputPrice: { } input, OutputPrice: { } output } model)
        {
            return null;
        }

        var multiplier = isTuned ? model.TunedPriceMultiplier : 1;
        return new(input * multiplier, output * multiplier);
    }

    /// <summary>Where a model that is tuned, or asked, in <paramref name="region"/> answers.</summary>
    public string ServingLocation(string id, string region) =>
        Find(id)?.ServingLocations.GetValueOrDefault(region) ?? region;

    /// <param name="id">The base model of the job, or of the tuned model that it goes on from.</param>
    /// <param name="isContinuous">Whether the job goes on from a tuned model.</param>
    /// <param name="adapterSize">Null: the service chooses.</param>
    /// <returns>Why there can be no such tuning job; null when there can.</returns>
    public string? CheckTuning(string id, string region, bool isContinuous, int? adapterSize, DateOnly today)
    {
        if (Find(id) is not { } model)
        {
            return $"{id} is not in the catalogue of base models, which has {Join(Models.Select(m => m.Id))}";
        }

        var instead = model.Successor is { } successor ? $"; use {successor}" : "";
        return model switch
        {
            { Tunable: false } => $"{id} cannot be tuned{instead}",
            { RetiresOn: { } day } when today >= day => $"{id} was retired on {day:yyyy-MM-dd}{instead}",
            { TuningBlockedFrom: { } day } when today >= day =>
                $"{id} takes no tuning jobs since {day:yyyy-MM-dd}{instead}",
            _ when !model.ServingLocations.ContainsKey(region) =>
                $"{id} cannot be tuned in {region}, but in {Join(model.ServingLocations.Keys)}",
            { ContinuousTuning: false } when isContinuous =>
                $"a model tuned from {id} cannot be tuned further{instead}",
            _ when adapterSize is { } size && !model.AdapterSizes.Contains(size) =>
                $"{id} takes no adapter size {size}, but {Join(model.AdapterSizes.Select(s => $"{s}"))}",
            _ => null,
        };
    }

    private static string Join(IEnumerable<string> values) => string.Join(", ", values);
}

/// <summary>Refuses a catalogue that contradicts itself, before the first request.</summary>
[OptionsValidator]
public sealed partial class BaseModelCatalogueValidator : IValidateOptions<BaseModelCatalogue>;

/// <summary>What annotations cannot say about <see cref="BaseModelCatalogue"/>.</summary>
public sealed class BaseModelCatalogueRules : IValidateOptions<BaseModelCatalogue>
{
    public ValidateOptionsResult Validate(string? name, BaseModelCatalogue options)
    {
        var repeated = options.Models.GroupBy(model => model.Id).FirstOrDefault(group => group.Count() > 1);
        var stranger = options.Models.FirstOrDefault(
            model => model.Successor is { } successor && options.Find(successor) is null);
        var halfPriced = options.Models.FirstOrDefault(model => model.InputPrice is null != model.OutputPrice is null);
        return (repeated, stranger, halfPriced) switch
        {
            ({ Key: var id }, _, _) => ValidateOptionsResult.Fail($"BaseModels:Models has {id} twice"),
            (_, { } model, _) => ValidateOptionsResult.Fail(
                $"BaseModels:Models: {model.Id} names the successor {model.Successor}, which is not in the list"),
            (_, _, { } model) => ValidateOptionsResult.Fail(
                $"BaseModels:Models: {model.Id} has only one of InputPrice and OutputPrice"),
            _ when options.Find(options.DefaultId) is not { Tunable: true } => ValidateOptionsResult.Fail(
                $"BaseModels:DefaultId: {options.DefaultId} is not a tunable model of BaseModels:Models"),
            _ => ValidateOptionsResult.Success,
        };
    }
}
