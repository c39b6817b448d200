using System.Buffers;
using System.Text;
using System.Text.Json;
using FeedbackLoop.Extraction;

namespace FeedbackLoop.Examples;

/// <summary>Writes an example as one line of a Gemini tuning file.</summary>
/// <remarks>
/// UTF-8 without a byte order mark, members in the order of the contract, <c>\n</c> at the end. The answer is itself JSON, as
/// text. Not thread-safe: one writer keeps its buffers between lines.
/// </remarks>
public sealed class ExampleWriter
{
    private readonly ArrayBufferWriter<byte> _answer = new(4_096);
    private readonly ArrayBufferWriter<byte> _line = new(16_384);

    /// <summary>The answer alone, until the next call.</summary>
    public ReadOnlyMemory<byte> Answer => _answer.WrittenMemory;

    /// <summary>The whole line, until the next call.</summary>
    public ReadOnlyMemory<byte> Line => _line.WrittenMemory;

    /// <summary>UTF-8 bytes of the texts that the service counts: instruction, request and answer.</summary>
    public int ContentBytes { get; private set; }

    public void Write(ExtractionPrompt prompt, TrainingExample example)
    {
        WriteAnswer(example);
        var user = ExtractionPrompt.User(example.Text);
        ContentBytes = Encoding.UTF8.GetByteCount(prompt.System) + Encoding.UTF8.GetByteCount(user) + _answer.WrittenCount;

        _line.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_line, CanonicalJson.WriterOptions))
        {
            json.WriteStartObject();
            json.WriteStartObject("systemInstruction"u8);
            json.WriteString("role"u8, "system"u8);
            WriteParts(json, Encoding.UTF8.GetBytes(prompt.System));
            json.WriteEndObject();
            json.WriteStartArray("contents"u8);
            WriteTurn(json, "user"u8, Encoding.UTF8.GetBytes(user));
            WriteTurn(json, "model"u8, _answer.WrittenSpan);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        _line.Write("\n"u8);
    }

    /// <summary>Whether an ordinary JSON reader takes the answer.</summary>
    public bool IsAnswerValid()
    {
        var reader = new Utf8JsonReader(_answer.WrittenSpan);
        try
        {
            while (reader.Read())
            {
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private void WriteAnswer(TrainingExample example)
    {
        _answer.ResetWrittenCount();
        using var json = new Utf8JsonWriter(_answer, CanonicalJson.WriterOptions);
        json.WriteStartObject();
        json.WriteStartArray("entities"u8);
        foreach (var entity in example.Entities)
        {
            json.WriteStartObject();
            json.WriteString("type"u8, entity.Type);
            json.WriteString("name"u8, entity.Name);
            json.WriteString("description"u8, entity.Description);
            json.WriteString("business_key"u8, entity.BusinessKey);
            json.WritePropertyName("properties"u8);
            json.WriteRawValue(entity.PropertiesJson.Span, skipInputValidation: true);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("relationships"u8);
        foreach (var relationship in example.Relationships)
        {
            json.WriteStartObject();
            json.WriteString("source_name"u8, relationship.SourceName);
            if (relationship.SourceType is not null)
            {
                json.WriteString("source_type"u8, relationship.SourceType);
            }

            json.WriteString("target_name"u8, relationship.TargetName);
            if (relationship.TargetType is not null)
            {
                json.WriteString("target_type"u8, relationship.TargetType);
            }

            json.WriteString("type"u8, relationship.Type);
            if (relationship.Description is not null)
            {
                json.WriteString("description"u8, relationship.Description);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteTurn(Utf8JsonWriter json, ReadOnlySpan<byte> role, ReadOnlySpan<byte> text)
    {
        json.WriteStartObject();
        json.WriteString("role"u8, role);
        WriteParts(json, text);
        json.WriteEndObject();
    }

    private static void WriteParts(Utf8JsonWriter json, ReadOnlySpan<byte> text)
    {
        json.WriteStartArray("parts"u8);
        json.WriteStartObject();
        json.WriteString("text"u8, text);
        json.WriteEndObject();
        json.WriteEndArray();
    }
}
