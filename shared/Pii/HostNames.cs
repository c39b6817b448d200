using System.Globalization;

namespace FeedbackLoop.Pii;

/// <summary>The letters of host names and the last part of one.</summary>
internal static class HostNames
{
    /// <summary>Endings of file names such as <c>icon@2x.png</c>; none is a top-level domain.</summary>
    public static readonly WordSet FileEndings = new("""
        png, jpg, jpeg, gif, svg, webp, avif, heic, heif, bmp, tif, tiff, ico, icns, apng, jxl, jfif, psd, eps,
        css, js, json, html, txt, pdf, xml, csv
        """);

    /// <summary>
    /// Top-level domains of scripts that put no space between words: only a known one says where the name ends and the sentence
    /// goes on. Source: IANA, root zone database; the last three are those of the internationalization tests.
    /// </summary>
    private static readonly string[] WithoutSpaces =
    [
        .. """
        公司 网络 集团 在线 中文网 我爱你 中国 中國 香港 台湾 台灣 澳門 澳门 新加坡 移动 公益 政务 政府 机构 组织机构 企业 网站 网址
        商城 商店 商标 网店 世界 娱乐 游戏 手机 信息 时尚 健康 慈善 餐厅 酒店 广东 佛山 八卦 招聘 新闻 书籍 食品 珠宝 购物 通販
        みんな コム セール ファッション ストア クラウド ポイント ไทย คอม ລາວ
        测试 測試 テスト
        """.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries).OrderByDescending(name => name.Length),
    ];

    /// <summary>Latin, Greek and Cyrillic, with the accents that may stand behind their letters.</summary>
    public static bool IsLetter(char c) =>
        char.IsAsciiLetter(c)
        || c is >= '\u0300' and <= '\u036F'
        || (c is (>= '\u00C0' and <= '\u052F') or (>= '\u1E00' and <= '\u1FFF') && char.IsLetter(c));

    /// <summary>A letter of another script, or a sign that stands on one.</summary>
    public static bool IsOtherLetter(char c) =>
        c > '\u052F' && !IsLetter(c) && (char.IsLetter(c)
            || char.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark);

    /// <summary>Characters of the top-level domain at the start of a label; 0 when there is none.</summary>
    /// <param name="latin">Characters up to the first letter of another script.</param>
    public static int TopLevel(ReadOnlySpan<char> label, int latin)
    {
        if (label.StartsWith("xn--", StringComparison.OrdinalIgnoreCase))
        {
            return label[..latin].TrimEnd("-_").Length;
        }

        if (latin > 0)
        {
            var line = label[..latin].IndexOf('_');
            var name = (line < 0 ? label[..latin] : label[..line]).TrimEnd('-');
            return name.Length is >= 2 and <= 24 && AreLetters(name) && !FileEndings.Contains(name) ? name.Length : 0;
        }

        if (HasSpaces(label[0]))
        {
            return label.Length is >= 2 and <= 24 && !label.ContainsAny('-', '_') && !label.ContainsAnyInRange('0', '9')
                ? label.Length
                : 0;
        }

        foreach (var known in WithoutSpaces)
        {
            if (label.StartsWith(known, StringComparison.Ordinal))
            {
                return known.Length;
            }
        }

        return 0;
    }

    /// <summary>Whether words of the letter's script have spaces between them: not Han, Kana, Thai, Lao, Khmer, Burmese.</summary>
    private static bool HasSpaces(char c) =>
        c is not ((>= '\u0E00' and <= '\u0EFF') or (>= '\u1000' and <= '\u109F') or (>= '\u1780' and <= '\u17FF')
            or (>= '\u2E80' and <= '\uA4CF') or (>= '\uF900' and <= '\uFAFF'));

    private static bool AreLetters(ReadOnlySpan<char> name)
    {
        foreach (var c in name)
        {
            if (!IsLetter(c))
            {
                return false;
            }
        }

        return true;
    }
}
