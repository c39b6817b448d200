using System.Text.Json;
using System.Text.Json.Serialization;

namespace FeedbackLoop.Tuning;

/// <summary>What Vertex counted in the training file. Content of examples is left out on purpose: it is training data.</summary>
/// <param name="BillableTokens">
/// In the training file. Whether epochs are multiplied in already is not documented; see <see cref="TuningCost.ActualUsd"/>.
/// </param>
/// <param name="DroppedExamples">Left out by Vertex without an error, most often for their length.</param>
/// <param name="DroppedIndices">Some of them, counted from 1.</param>
public sealed record TuningStatistics(
    long Examples, long BillableTokens, long Steps, long DroppedExamples, IReadOnlyList<long> DroppedIndices,
    IReadOnlyList<string> DroppedReasons)
{
    public string ToJson() => JsonSerializer.Serialize(this, TuningJson.Default.TuningStatistics);

    /// <returns>Null for nothing and for <c>{}</c>, which stands for a job that Vertex has not counted.</returns>
    /// <exception cref="JsonException">Something else than <see cref="ToJson"/> writes.</exception>
    public static TuningStatistics? FromJson(string? json) =>
        json is null or "{}" ? null : JsonSerializer.Deserialize(json, TuningJson.Default.TuningStatistics);
}

/// <summary>A state of the model that was kept while it was tuned.</summary>
public sealed record TunedCheckpoint(string Id, long Epoch, long Step, string Endpoint)
{
    public static string ToJson(IReadOnlyList<TunedCheckpoint> checkpoints) =>
        JsonSerializer.Serialize(checkpoints, TuningJson.Default.IReadOnlyListTunedCheckpoint);

    /// <exception cref="JsonException">Something else than <see cref="ToJson"/> writes.</exception>
    public static IReadOnlyList<TunedCheckpoint> FromJson(string json) =>
        JsonSerializer.Deserialize(json, TuningJson.Default.IReadOnlyListTunedCheckpoint)
        ?? throw new JsonException("the checkpoints are null");
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ListingPass))]
[JsonSerializable(typeof(TuningStatistics))]
[JsonSerializable(typeof(IReadOnlyList<TunedCheckpoint>))]
internal sealed partial class TuningJson : JsonSerializerContext;
