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
    private readonly Lazy<TiktokenTokenizer> _tokenizer = new(() => TiktokenTokenizer.CreateForEncoding("o200k_base"));

    /// <summary>Whether texts of <paramref name="contentBytes"/> bytes fit without being counted.</summary>
    public static bool CertainlyFits(int contentBytes, double factor, int maxTokens) => contentBytes * factor <= maxTokens;

    /// <summary>Estimated Gemini tokens of UTF-8 text.</summary>
    public int Count(ReadOnlySpan<byte> utf8, double factor) =>
        (int)Math.Ceiling(_tokenizer.Value.CountTokens(Encoding.UTF8.GetString(utf8)) * factor);
}
