using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FeedbackLoop.Local.Hosting;

/// <summary>Times on the wire as Google's JSON APIs write them; their clients read no other form.</summary>
internal sealed class GoogleTime : JsonConverter<DateTimeOffset>
{
    public static string Format(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Format(value));
}
