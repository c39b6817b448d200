using CsCheck;

namespace FeedbackLoop.Pii.Tests;

/// <summary>What holds for every text.</summary>
public sealed class RedactionLawTests
{
    private const long Texts = 20_000;

    private static readonly PiiScanner Scanner = new();

    /// <summary>Pieces that the detectors look at, so that random texts come near their edges.</summary>
    private static readonly Gen<string> Piece = Gen.OneOf(
        OneOf(
            "jane@example.com", "4111 1111 1111 1111", "5105105105105100", "GB82 WEST 1234 5698 7654 32",
            "DE89370400440532013000",
            "536-22-1234", "536221234", "+49 30 1234567", "(212) 555-0123", "030/1234567", "10.0.0.1", "2001:db8::1",
            "%40", "@", "::", "1.2.3.4",
            "\"jane doe\"@example.com", "用户@例子.公司", "jane&#64;example.com", "&#52;", "https://bot:secret@", "://", "u:p@h.de",
            "ada@a_b.example.com", "logo@2x.avif", "[EMAIL_1]", "[PHONE_12]", "[SECRET_1]",
            "phone ", "SSN ", "card ", "IBAN ", "version ", "ref ", "[PHONE]", "[CARD]", "[SSN] ", "tel. ",
            "order no. "),
        OneOf(" ", "-", ".", "/", "(", ")", "+", ",", "\n", "x", ":", "_", "é", "\u00A0", "\u200B", "\u200D", "\uFF11",
        "😀", "\uD83D", "𝟙"),
        Gen.String[Gen.Char['0', '9'], 1, 10],
        Gen.String[Gen.Char, 0, 4]);

    private static readonly Gen<string> AnyText = Piece.Array[0, 14].Select(string.Concat);

    [Fact]
    public void Redacting_twice_is_redacting_once() => AnyText.Sample(
        text =>
        {
            var once = Scanner.Redact(text);
            return Scanner.Redact(once) == once;
        },
        iter: Texts);

    [Fact]
    public void Nothing_is_found_in_a_redacted_text() => AnyText.Sample(
        text => !Scanner.ContainsAny(Scanner.Redact(text)) && Scanner.Find(Scanner.Redact(text)).Count == 0,
        iter: Texts);

    [Fact]
    public void A_text_contains_something_exactly_when_something_is_found() => AnyText.Sample(
        text => Scanner.ContainsAny(text) == (Scanner.Find(text).Count > 0)
            && Scanner.ContainsAny(text.AsSpan()) == (Scanner.Redact(text) != text),
        iter: Texts);

    [Fact]
    public void Matches_ascend_do_not_overlap_and_keep_surrogate_pairs_whole() => AnyText.Sample(
        text =>
        {
            var end = 0;
            foreach (var match in Scanner.Find(text))
            {
                if (match.Start < end || match.Length < 1 || match.End > text.Length
                    || SplitsPair(text, match.Start) || SplitsPair(text, match.End))
                {
                    return false;
                }

                end = match.End;
            }

            return true;
        },
        iter: Texts);

    private static Gen<string> OneOf(params string[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static bool SplitsPair(string text, int at) =>
        at > 0 && at < text.Length && char.IsHighSurrogate(text[at - 1]) && char.IsLowSurrogate(text[at]);
}
