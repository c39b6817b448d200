using System.Text.Json;
using System.Text.Json.Serialization;

namespace FeedbackLoop.Runs;

/// <summary>Identifies a training run, and the model that it makes: a registry row has the id of its run.</summary>
[JsonConverter(typeof(RunIdJsonConverter))]
public readonly record struct RunId(Guid Value)
{
    public static RunId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));

    public override string ToString() => Value.ToString();
}

/// <summary>Writes a run's id as its bare text.</summary>
public sealed class RunIdJsonConverter : JsonConverter<RunId>
{
    public override RunId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        new(reader.GetGuid());

    public override void Write(Utf8JsonWriter writer, RunId value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.Value);
}
