namespace FeedbackLoop.Pii.Tests;

internal static class EmailSamples
{
    public static IEnumerable<Sample> Positives(int count, int seed)
    {
        var dice = new Dice(seed);
        for (var i = 0; i < count; i++)
        {
            var at = dice.OneIn(12) ? "%40" : dice.OneIn(20) ? "&#64;" : dice.OneIn(30) ? "\uFF20" : "@";
            var value = $"{Local(dice)}{at}{Domain(dice)}";
            var frame = dice.OneIn(2)
                ? Frames.With(
                    dice,
                    "mailto:{0}?subject=hi", "<a href=\"mailto:{0}\">", "E-Mail: {0}.", "Écrivez à {0} !",
                    "Correo: {0}, gracias",
                    "Jane Doe <{0}>", "https://example.test/?user={0}&x=1", "[{0}]", "'{0}'", "cc: {0}; bcc: none",
                    "Schreiben Sie an {0}\nDanke", "/users/{0}/edit", "**{0}**")
                : Frames.Any(dice);
            yield return Sample.Positive(PiiKind.Email, frame, value);
        }
    }

    private static string Local(Dice dice)
    {
        var first = dice.Pick("jane", "max", "Élodie", "josé", "a", "info", "MARIA", "o'brien", "li", "jürgen",
        "noreply", "анна");
        var last = dice.Pick("doe", "mustermann", "durand", "garcía", "smith-jones", "b", "Kowalski", "x2");
        return dice.Between(0, 7) switch
        {
            7 => $"\"{first} {last}\"",
            0 => first,
            1 => $"{first}_{last}",
            2 => $"{first}+{dice.Pick("news", "2024", "shop")}",
            3 => $"{first}.{last}{dice.Between(1, 1999)}",
            4 => $"{first}-{last}",
            5 => $"{dice.Digits(6)}{last}",
            _ => $"{first}.{last}",
        };
    }

    private static string Domain(Dice dice)
    {
        var name = dice.Pick("example", "mail", "müller", "acme-corp", "x1", "uni-köln", "3com", "почта",
        "sub.dept.example", "mail_relay.example", "例子", "उदाहरण");
        var end = dice.Pick(
            "com", "org", "de", "co.uk", "fr", "museum", "xn--p1ai", "io", "es", "photography", "COM", "公司",
            "भारत");
        return $"{name}.{end}";
    }
}
