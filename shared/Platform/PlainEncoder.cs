using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;

namespace FeedbackLoop.Platform;

/// <summary>
/// Escapes what JSON demands (RFC 8259: the quotation mark, the backslash, and control characters below U+0020) and nothing
/// else: a model is taught the characters themselves, and a person reads them. Not for HTML.
/// </summary>
/// <remarks>
/// Even <see cref="JavaScriptEncoder.UnsafeRelaxedJsonEscaping"/> writes a no-break space, an emoji and every private
/// character as <c>\u</c>. Half of a surrogate pair, which UTF-8 cannot hold, becomes U+FFFD.
/// </remarks>
public sealed class PlainEncoder : JavaScriptEncoder
{
    private const string Replacement = "\uFFFD";

    private static readonly SearchValues<byte> EscapedBytes = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(c => (byte)c), (byte)'"', (byte)'\\']);

    private static readonly SearchValues<char> EscapedOrHalf = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Concat(Enumerable.Range(0xD800, 0x800)).Select(c => (char)c), '"', '\\']);

    private PlainEncoder()
    {
    }

    public static PlainEncoder Instance { get; } = new();

    public override int MaxOutputCharactersPerInputCharacter => 6;

    public override bool WillEncode(int unicodeScalar) => unicodeScalar is < 0x20 or '"' or '\\';

    public override unsafe int FindFirstCharacterToEncode(char* text, int textLength) =>
        FindFirst(new ReadOnlySpan<char>(text, textLength));

    public override int FindFirstCharacterToEncodeUtf8(ReadOnlySpan<byte> utf8Text) => utf8Text.IndexOfAny(EscapedBytes);

    public override unsafe bool TryEncodeUnicodeScalar(
        int unicodeScalar, char* buffer, int bufferLength, out int numberOfCharactersWritten)
    {
        var target = new Span<char>(buffer, bufferLength);
        if (!WillEncode(unicodeScalar))
        {
            return new Rune(unicodeScalar).TryEncodeToUtf16(target, out numberOfCharactersWritten);
        }

        var escape = EscapeOf((char)unicodeScalar);
        var fits = escape.TryCopyTo(target);
        numberOfCharactersWritten = fits ? escape.Length : 0;
        return fits;
    }

    public override OperationStatus Encode(
        ReadOnlySpan<char> source, Span<char> destination, out int charsConsumed, out int charsWritten,
        bool isFinalBlock = true)
    {
        (charsConsumed, charsWritten) = (0, 0);
        while (charsConsumed < source.Length)
        {
            var rest = source[charsConsumed..];
            var plain = FindFirst(rest);
            plain = plain < 0 ? rest.Length : plain;
            if (!rest[..plain].TryCopyTo(destination[charsWritten..]))
            {
                return OperationStatus.DestinationTooSmall;
            }

            (charsConsumed, charsWritten) = (charsConsumed + plain, charsWritten + plain);
            if (plain < rest.Length)
            {
                if (!isFinalBlock && plain == rest.Length - 1 && char.IsHighSurrogate(rest[plain]))
                {
                    return OperationStatus.NeedMoreData;
                }

                ReadOnlySpan<char> escape = char.IsSurrogate(rest[plain]) ? Replacement : EscapeOf(rest[plain]);
                if (!escape.TryCopyTo(destination[charsWritten..]))
                {
                    return OperationStatus.DestinationTooSmall;
                }

                (charsConsumed, charsWritten) = (charsConsumed + 1, charsWritten + escape.Length);
            }
        }

        return OperationStatus.Done;
    }

    // The lines go through here twice, a quotation mark every few bytes: rune by rune, as the base class does it, takes long.
    public override OperationStatus EncodeUtf8(
        ReadOnlySpan<byte> utf8Source, Span<byte> utf8Destination, out int bytesConsumed, out int bytesWritten,
        bool isFinalBlock = true)
    {
        (bytesConsumed, bytesWritten) = (0, 0);
        while (bytesConsumed < utf8Source.Length)
        {
            var rest = utf8Source[bytesConsumed..];
            var plain = rest.IndexOfAny(EscapedBytes);
            plain = plain < 0 ? rest.Length : plain;
            if (!rest[..plain].TryCopyTo(utf8Destination[bytesWritten..]))
            {
                return OperationStatus.DestinationTooSmall;
            }

            (bytesConsumed, bytesWritten) = (bytesConsumed + plain, bytesWritten + plain);
            if (plain < rest.Length)
            {
                if (!Encoding.UTF8.TryGetBytes(EscapeOf((char)rest[plain]), utf8Destination[bytesWritten..], out var written))
                {
                    return OperationStatus.DestinationTooSmall;
                }

                (bytesConsumed, bytesWritten) = (bytesConsumed + 1, bytesWritten + written);
            }
        }

        return OperationStatus.Done;
    }

    private static int FindFirst(ReadOnlySpan<char> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var next = text[i..].IndexOfAny(EscapedOrHalf);
            if (next < 0)
            {
                return -1;
            }

            i += next;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
            {
                return i;
            }

            i++;
        }

        return -1;
    }

    private static ReadOnlySpan<char> EscapeOf(char c) => c switch
    {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\b' => "\\b",
        '\t' => "\\t",
        '\n' => "\\n",
        '\f' => "\\f",
        '\r' => "\\r",
        _ => $"\\u{(int)c:X4}",
    };
}
