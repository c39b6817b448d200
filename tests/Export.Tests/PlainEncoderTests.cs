using System.Buffers;
using System.Text;
using System.Text.Json;
using CsCheck;
using FeedbackLoop.Platform;

namespace FeedbackLoop.Export.Tests;

public sealed class PlainEncoderTests
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = PlainEncoder.Instance };

    // What RFC 8259 demands, each in its short form where it has one.
    private static readonly Dictionary<int, string> Escapes = new(
        Enumerable.Range(0, 0x20).Select(code => KeyValuePair.Create(code, $"\\u{code:X4}")))
    {
        ['"'] = "\\\"",
        ['\\'] = "\\\\",
        ['\b'] = "\\b",
        ['\t'] = "\\t",
        ['\n'] = "\\n",
        ['\f'] = "\\f",
        ['\r'] = "\\r",
    };

    [Fact]
    public void Every_character_comes_back_and_only_what_JSON_demands_is_escaped()
    {
        foreach (var code in Enumerable.Range(0, 0x110000).Where(code => code is < 0xD800 or > 0xDFFF))
        {
            var text = $"a{char.ConvertFromUtf32(code)}b";
            var expected = $"\"a{Escapes.GetValueOrDefault(code, char.ConvertFromUtf32(code))}b\"";

            var json = Written(writer => writer.WriteStringValue(text));

            Assert.True(json == expected, $"U+{code:X4} is written as {json}");
            Assert.True(json == Written(writer => writer.WriteStringValue(Encoding.UTF8.GetBytes(text))), $"U+{code:X4} as UTF-8");
        }
    }

    [Fact]
    public void Texts_names_and_text_in_text_come_back() => Gen.String[0, 200].Sample(text =>
    {
        var inner = Written(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString(text, text);
            writer.WriteEndObject();
        });
        using var outer = JsonDocument.Parse(Written(writer => writer.WriteStringValue(inner)));
        using var back = JsonDocument.Parse(outer.RootElement.GetString()!);
        var member = back.RootElement.EnumerateObject().Single();
        var expected = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)); // halves of pairs are U+FFFD
        return (member.Name, member.Value.GetString()) == (expected, expected);
    });

    [Fact]
    public void Long_texts_are_written_in_pieces_without_a_difference()
    {
        var text = string.Concat(Enumerable.Range(0, 20_000).Select(i => i % 3 == 0 ? "\"" : i % 7 == 0 ? "🌊" : "é"));

        using var json = JsonDocument.Parse(Written(writer => writer.WriteStringValue(text)));

        Assert.Equal(text, json.RootElement.GetString());
    }

    [Fact]
    public void It_encodes_by_itself_too_whatever_the_room_there_is()
    {
        Assert.Equal("a\\\"\\\\\\n\u00A0🌊\uFFFDb", PlainEncoder.Instance.Encode("a\"\\\n\u00A0🌊\ud83db"));
        Assert.Equal(
            OperationStatus.DestinationTooSmall,
            PlainEncoder.Instance.EncodeUtf8("ab\"c"u8, new byte[3], out var consumed, out var written));
        Assert.Equal((2, 2), (consumed, written));
    }

    private static string Written(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Plain))
        {
            write(writer);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
