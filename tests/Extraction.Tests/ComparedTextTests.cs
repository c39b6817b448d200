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
    [InlineData("e\u0301cole", "\u00C9cole")]
    [InlineData("\u1112\u1161\u11ab", "한")]
    [InlineData("ΟΔΟΣ", "οδος")]
    public void One_spelling_is_one_name(string one, string other) =>
        Assert.Equal(ComparedText.Name(one), ComparedText.Name(other));

    [Theory]
    [InlineData("The Beatles", "Beatles")]
    [InlineData("servers", "server")]
    [InlineData("Ada-Lovelace", "Ada Lovelace")]
    [InlineData("resume", "résumé")]
    public void Everything_else_is_a_difference(string one, string other) =>
        Assert.NotEqual(ComparedText.Name(one), ComparedText.Name(other));

    [Theory]
    [InlineData("USES", "uses")]
    [InlineData("System", "system\n")]
    [InlineData(" start\u3000 time", "Start Time")]
    [InlineData("Soci\u00E9t\u00E9", "socie\u0301te\u0301")]
    public void One_type_is_one(string one, string other) => Assert.Equal(ComparedText.Type(one), ComparedText.Type(other));

    [Theory]
    [InlineData("start time", "start_time")]
    [InlineData("System", "Systems")]
    [InlineData("->", "<-")]
    public void Another_type_is_another(string one, string other) =>
        Assert.NotEqual(ComparedText.Type(one), ComparedText.Type(other));

    [Theory]
    [InlineData("System \n", "System")]
    [InlineData("\tData\r\n  Store", "Data Store")]
    [InlineData("Socie\u0301te\u0301", "Soci\u00E9t\u00E9")]
    [InlineData("data_store", "data_store")]
    public void A_type_is_written_in_one_form(string type, string form) => Assert.Equal(form, ComparedText.Spelling(type));

    [Fact]
    public void Folding_twice_changes_nothing_and_takes_whatever_comes() =>
        Gen.Char.Array[0, 40].Select(chars => new string(chars)).Sample(
            text => ComparedText.Name(ComparedText.Name(text)) == ComparedText.Name(text) && ComparedText.Type(ComparedText.Spelling(text)) == ComparedText.Type(text)
                && ComparedText.Spelling(ComparedText.Spelling(text)) == ComparedText.Spelling(text),
            iter: 20_000);
}
