using CsCheck;
using FeedbackLoop.Extraction;

namespace FeedbackLoop.Extract.Tests;

public sealed class WholeWordsTests
{
    [Theory]
    [InlineData("The Enterprise's ERP.", "ERP")]
    [InlineData("ERP", "ERP")]
    [InlineData("(erp)", "ERP")]
    [InlineData("an_erp_system", "ERP")]
    [InlineData("It runs on ASP.NET and C++11.", ".NET")]
    [InlineData("It runs on ASP.NET and C++11.", "C++")]
    [InlineData("The grid\n dispatcher", "Grid Dispatcher")]
    [InlineData("Ke\u0301ops Hub", "Kéops hub")]
    [InlineData("我们使用ERP系统。", "ERP")]
    [InlineData("我们使用ERP系统。", "系统")]
    [InlineData("東京タワーへ行く", "東京")]
    [InlineData("東京タワーへ行く", "タワー")]
    [InlineData("ผมอยู่กรุงเทพครับ", "กรุงเทพ")]
    [InlineData("ខ្ញុំរស់នៅភ្នំពេញ", "ភ្នំពេញ")]
    [InlineData("서울은 한국의 수도이다.", "서울")]
    [InlineData("IBM은 서울에 있다.", "IBM")]
    [InlineData("서울AI연구소", "AI")]
    [InlineData("Die Ä-Klasse", "Ä")]
    [InlineData("Im Jahr 2024年", "2024")]
    public void A_text_has_a_name_as_whole_words(string text, string name) => Assert.True(Holds(text, name));

    [Theory]
    [InlineData("ERP")]
    [InlineData("AI")]
    [InlineData("BRO")]
    [InlineData("enter")]
    [InlineData("")]
    [InlineData(" _")]
    public void A_part_of_a_word_is_no_name(string name) => Assert.False(Holds("The enterprise maintains its brochure.", name));

    [Theory]
    [InlineData("Cafe\u0301s", "Cafe")]
    [InlineData("Cafés", "Café")]
    [InlineData("x\u0332", "x")]
    [InlineData("रामायण", "राम")]
    [InlineData("동서울은", "서울")]
    [InlineData("CO₂", "CO")]
    [InlineData("12024", "2024")]
    [InlineData("Москвичи", "Москв")]
    [InlineData("𝒢rid", "rid")]
    public void Marks_digits_and_letters_of_any_script_go_on_with_a_word(string text, string name) => Assert.False(Holds(text, name));

    [Fact]
    public void The_second_mention_counts_where_the_first_is_a_part() =>
        Assert.Equal(9, WholeWords.IndexOf("maintain ai", "ai"));

    [Fact]
    public void Found_in_the_text_and_found_in_its_compared_form_are_one() =>
        Gen.Select(Texts, Texts.Select(name => name.Length > 6 ? name[..6] : name)).Sample((text, name) =>
        {
            var mention = new NamedText(text).Find(name);
            return mention.IsWhole == Holds(text, name)
                && (!mention.IsWhole || mention.Position is >= 0 && mention.Position < text.Length);
        }, iter: 50_000);

    [Fact]
    public void The_place_is_the_first_one_of_the_texts_own_spelling_else_the_first_of_another()
    {
        var text = new NamedText("ADA, adaptation, Ke\u0301ops,\n Ada Kéops");

        Assert.Equal(new Mention(26, true, true), text.Find("Ada"));
        Assert.Equal(new Mention(0, false, true), text.Find("aDa"));
        Assert.Equal(new Mention(17, false, true), text.Find("KÉOPS"));
        Assert.Equal(new Mention(30, true, true), text.Find("Kéops"));
        Assert.Equal(new Mention(9, true, false), text.Find("tation"));
        Assert.Equal(new Mention(null, false, false), text.Find("Hub"));
    }

    private static Gen<string> Texts => One(
        "a", "b", "A", "B", " ", "_", "\n", "1", ".", "é", "e\u0301", "\u0301", "한", "\u1112", "\u1161", "漢", "ー", "\u00A0", "😀", "\ud83d", "ς", "Σ")
        .Array[0, 12].Select(string.Concat);

    private static bool Holds(string text, string name) => ComparedText.Holds(ComparedText.Name(text), ComparedText.Name(name));

    private static Gen<string> One(params string[] of) => Gen.Int[0, of.Length - 1].Select(i => of[i]);
}
