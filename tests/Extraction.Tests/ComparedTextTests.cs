using CsCheck;
using FeedbackLoop.Extraction;

namespace FeedbackLoop.Extract.Tests;

public sealed class ComparedTextTests
{
    [Theory]
    [InlineData("Ada  Lovelace", "ada\u00A0lovelace")]
    [InlineData(" Ada\nLovelace ", "Ada Lovelace")]
    [InlineData("Ada_Lovelace", "ada lovelace")]
    [InlineData("Mediaș", "MEDIAȘ")]
    public void One_spelling_is_one_name(string one, string other) =>
        Assert.Equal(ComparedText.Name(one), ComparedText.Name(other));

    [Theory]
    [InlineData("The Beatles", "Beatles")]
    [InlineData("servers", "server")]
    [InlineData("Ada-Lovelace", "Ada Lovelace")]
    [InlineData("resume", "résumé")]
    [InlineData("e\u0301", "é")]
    public void Everything_else_is_a_difference(string one, string other) =>
        Assert.NotEqual(ComparedText.Name(one), ComparedText.Name(other));

    [Theory]
    [InlineData("start time", "start_time")]
    [InlineData("USES", "uses")]
    [InlineData("languages spoken, written or signed", "languages_spoken,_written_or_signed")]
    public void One_type_is_one(string one, string other) => Assert.Equal(ComparedText.Type(one), ComparedText.Type(other));

    [Fact]
    public void A_type_without_letters_stays_itself() => Assert.NotEqual(ComparedText.Type("->"), ComparedText.Type("<-"));

    [Fact]
    public void Folding_twice_changes_nothing_and_takes_whatever_comes() =>
        Gen.Char.Array[0, 40].Select(chars => new string(chars)).Sample(
            text => ComparedText.Name(ComparedText.Name(text)) == ComparedText.Name(text) && ComparedText.Type(text) is not null,
            iter: 20_000);
}
