using CsCheck;

namespace FeedbackLoop.Knowledge.Import;

public sealed class MentionSentenceTests
{
    private const string Text =
        "The bank moved last year. Ledger Core, version 3.5, keeps every balance! Who owns it?\n"
        + "The Core Banking Crew does so.";

    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.Char[" .!?\nab"].Select(c => c.ToString()),
        Gen.Const("😀"),
        Gen.Const("Ж"),
        Gen.Char['a', 'z'].Select(c => new string(c, 90))).Array[1, 40].Select(string.Concat);

    [Theory]
    [InlineData("bank", "The bank moved last year.")]
    [InlineData("Ledger Core", "Ledger Core, version 3.5, keeps every balance!")]
    [InlineData("3.5", "Ledger Core, version 3.5, keeps every balance!")]
    [InlineData("Core Banking Crew", "The Core Banking Crew does so.")]
    public void It_is_the_sentence_around_the_mention(string mention, string sentence) =>
        Assert.Equal(sentence, Find(Text, mention));

    [Theory]
    [InlineData("网格调度器控制全部的负载并且记录所有的切换操作。计量中心统计电量并且把结果交给结算中心使用！其他系统处理别的事情吗？", "计量中心", "计量中心统计电量并且把结果交给结算中心使用！")]
    [InlineData("彼は言った「台帳はすべての支払いを記録している。」次の日に倉庫が閉まったので皆は家に帰った。", "台帳", "彼は言った「台帳はすべての支払いを記録している。」")]
    [InlineData("彼は言った「台帳はすべての支払いを記録している。」次の日に倉庫が閉まったので皆は家に帰った。", "倉庫", "次の日に倉庫が閉まったので皆は家に帰った。")]
    [InlineData("本当に全部の支払いを記録しているのですか？！倉庫は毎日の在庫を数えて台帳に送っています。", "倉庫", "倉庫は毎日の在庫を数えて台帳に送っています。")]
    [InlineData("رجسٹر تمام ادائیگیوں کا حساب رکھتا ہے۔ گودام ہر روز سامان گنتا ہے۔", "گودام", "گودام ہر روز سامان گنتا ہے۔")]
    [InlineData("बही सब भुगतानों का हिसाब रखती है। गोदाम हर दिन सामान गिनता है।", "गोदाम", "गोदाम हर दिन सामान गिनता है।")]
    public void Sentences_of_other_scripts_end_with_their_own_marks(string text, string mention, string sentence) =>
        Assert.Equal(sentence, Find(text, mention));

    [Theory]
    [InlineData("Who owns it?\nThe Core Banking Crew does so.", "Who owns")]
    [InlineData("Ledger Core, version 3.5, keeps every balance! It does.", "It does")]
    [InlineData("计量中心统计电量。其他系统处理别的事情。最后一句话。", "计量中心")]
    public void A_short_sentence_takes_the_ones_beside_it(string sentences, string mention) => Assert.Equal(
        sentences, Find((mention == "Who owns" ? Text : "这是一个很长很长的句子，它说明了所有的事情和别的。\n" + sentences), mention));

    [Theory]
    [InlineData(null, null)]
    [InlineData(3, null)]
    [InlineData(-1, 4)]
    [InlineData(9, 9)]
    [InlineData(9, 5)]
    [InlineData(0, 100_000)]
    public void Without_a_mention_it_is_the_first_sentence(int? start, int? end) =>
        Assert.Equal("The bank moved last year.", MentionSentence.Find("\n " + Text, start, end));

    [Fact]
    public void A_mention_over_two_sentences_takes_both() =>
        Assert.Equal(
            "The bank moved last year. Ledger Core, version 3.5, keeps every balance!", Find(Text, "year. Ledger"));

    [Fact]
    public void A_long_sentence_is_cut_around_the_mention()
    {
        var text = new string('a', 1_000) + " Ledger Core " + new string('b', 1_000);

        var sentence = Find(text, "Ledger Core");

        Assert.Equal(MentionSentence.MaxLength, sentence.Length);
        Assert.InRange(sentence.IndexOf("Ledger Core", StringComparison.Ordinal), 140, 150);
    }

    [Fact]
    public void A_cut_goes_through_no_surrogate_pair() =>
        Gen.Select(Texts, Gen.Int[0, 200], Gen.Int[1, 400]).Sample((text, start, length) =>
        {
            var sentence = MentionSentence.Find(text, start, start + length);
            return !sentence.Where((_, i) => char.IsSurrogate(sentence[i])).Any()
                || System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(sentence)) == sentence;
        });

    [Fact]
    public void It_is_a_trimmed_part_of_the_text_of_at_most_300_characters() =>
        Gen.Select(Texts, Gen.Int[-5, 500], Gen.Int[-5, 500]).Sample((text, start, end) =>
        {
            var sentence = MentionSentence.Find(text, start, end);
            return sentence.Length <= MentionSentence.MaxLength
                && text.Contains(sentence, StringComparison.Ordinal)
                && sentence.Trim() == sentence
                && (sentence.Length > 0 || text.AsSpan().Trim().Length == 0 || text.Length > MentionSentence.MaxLength);
        });

    [Fact]
    public void It_holds_the_whole_mention() =>
        Gen.Select(Texts, Texts, Gen.Int[1, 100].Select(n => new string('m', n))).Sample((before, after, mention) =>
        {
            var end = before.Length + mention.Length;
            var sentence = MentionSentence.Find(before + mention + after, before.Length, end);
            return sentence.Contains(mention, StringComparison.Ordinal);
        });

    private static string Find(string text, string mention)
    {
        var start = text.IndexOf(mention, StringComparison.Ordinal);
        return MentionSentence.Find(text, start, start + mention.Length);
    }
}
