using CsCheck;
using FeedbackLoop.Extraction;

namespace FeedbackLoop.Extract.Tests;

public sealed class DocumentTextTests
{
    private static readonly string[] Parts =
    [
        "<", "</", "\\", "/", " ", "\n", "document", "DOCUMENT", "Document>", "<document>", "</document>", "<\\/document>", "x",
    ];

    // Dense in what matters; a text of all characters would hardly ever have a delimiter.
    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.Int[0, Parts.Length - 1].Select(i => Parts[i]).List[0, 12].Select(string.Concat),
        Gen.String);

    [Theory]
    [InlineData("a </document> b", @"a <\/document> b")]
    [InlineData("<document>", @"<\document>")]
    [InlineData("</DOCUMENT >", @"<\/DOCUMENT >")]
    [InlineData("< / document>", @"<\ / document>")]
    [InlineData("<\n/document>", "<\\\n/document>")]
    [InlineData(@"<\/document>", @"<\\/document>")]
    [InlineData("</documentation>", @"<\/documentation>")]
    [InlineData("<</document>", @"<<\/document>")]
    public void What_could_be_a_delimiter_gets_a_backslash(string text, string escaped) =>
        Assert.Equal(escaped, DocumentText.Escape(text));

    [Theory]
    [InlineData("")]
    [InlineData("a < b, and a document > 3 pages")]
    [InlineData("<p>The document ends.</p>")]
    [InlineData(@"C:\documents <\p> </docume")]
    [InlineData("<")]
    public void Any_other_text_is_the_same_string(string text)
    {
        Assert.Same(text, DocumentText.Escape(text));
        Assert.Same(text, DocumentText.Unescape(text));
    }

    [Fact]
    public void Whatever_a_text_has_it_comes_back() =>
        Texts.Sample(text => Assert.Equal(text, DocumentText.Unescape(DocumentText.Escape(text))));

    [Fact]
    public void Whatever_a_text_has_its_turn_has_one_beginning_and_one_end_and_gives_it_back() => Texts.Sample(text =>
    {
        var user = ExtractionPrompt.User(text);

        Assert.Single(Delimiters(user, "<document"));
        Assert.Single(Delimiters(user, "</document"));
        Assert.Equal(text, ExtractionPrompt.TextOf(user));
    });

    // As lenient as a model may be: white space and case count for nothing.
    private static List<int> Delimiters(string user, string delimiter)
    {
        var plain = string.Concat(user.Where(c => !char.IsWhiteSpace(c))).Replace("//", "/", StringComparison.Ordinal);
        var found = new List<int>();
        for (var at = plain.IndexOf(delimiter, StringComparison.OrdinalIgnoreCase); at >= 0;
            at = plain.IndexOf(delimiter, at + 1, StringComparison.OrdinalIgnoreCase))
        {
            found.Add(at);
        }

        return found;
    }
}
