using System.Text;
using Microsoft.ML.Tokenizers;

namespace FeedbackLoop.Examples;

/// <summary>Estimates Gemini's tokens from o200k's, times a factor.</summary>
/// <remarks>
/// o200k works on bytes, so a text never has more tokens than UTF-8 bytes. Where the bytes already fit, nothing is counted:
/// tokenizing everything would take longer than the rest of an export.
/// </remarks>
public sealed class TokenCounter
{
    /// <summary>
    /// Characters that the tokenizer gets at once. Its time grows with the square of a word's length: 200,000 characters
    /// without a space, such as an image in base64, took 45 s.
    /// </summary>
    private const int PieceLength = 2_048;

    private readonly Lazy<TiktokenTokenizer> _tokenizer = new(() => TiktokenTokenizer.CreateForEncoding("o200k_base"));

    /// <summary>Whether texts of <paramref name="contentBytes"/> bytes fit without being counted.</summary>
    public static bool CertainlyFits(int contentBytes, double factor, int maxTokens) => contentBytes * factor <= maxTokens;

    /// <summary>Estimated Gemini tokens of UTF-8 text.</summary>
    public int Count(ReadOnlySpan<byte> utf8, double factor)
    {
        var rest = Encoding.UTF8.GetString(utf8).AsSpan();
        var tokens = 0L;
        while (!rest.IsEmpty)
        {
            var length = LengthOfPiece(rest);
            tokens += _tokenizer.Value.CountTokens(rest[..length]);
            rest = rest[length..];
        }

        return (int)Math.Min(int.MaxValue, Math.Ceiling(tokens * factor));
    }

    // Before a space, which belongs to the word behind it, the count stays the same. A word that is longer than half a piece is
    // cut, which makes at most one token more for each cut.
    private static int LengthOfPiece(ReadOnlySpan<char> text)
    {
        if (text.Length <= PieceLength)
        {
            return text.Length;
        }

        var space = text[..PieceLength].LastIndexOf(' ');
        var length = space >= PieceLength / 2 ? space : PieceLength;
        return char.IsHighSurrogate(text[length - 1]) ? length - 1 : length;
    }
}
