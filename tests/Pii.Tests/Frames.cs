namespace FeedbackLoop.Pii.Tests;

/// <summary>Texts around a value, with <c>{0}</c> where it goes. None says what kind of number it is.</summary>
internal static class Frames
{
    private static readonly string[] Plain =
    [
        "{0}",
        "Please update the entry to {0} before Friday.",
        "She wrote {0} on the back of the envelope.",
        "In the 2019 file we found {0}, which nobody had removed.",
        "Wir haben {0} in den Unterlagen gefunden.",
        "Bitte prüfen Sie {0} bis zum 12.05.2023.",
        "Nous avons noté {0} dans le cahier.",
        "Merci de vérifier {0} avant le 3 mars 2021.",
        "Hemos anotado {0} en el cuaderno.",
        "Por favor, compruebe {0} antes del lunes.",
        "(see {0})",
        "{{\"value\": \"{0}\", \"year\": 2020}}",
        "<td>{0}</td><td>12.50</td>",
        "<p class=\"note\">{0}</p>",
        "a=1;b={0};c=3",
        "- {0}\n- nothing else",
        "Name: J. Doe\nValue: {0}\nCity: Springfield",
        "\"{0}\"",
        "One, two, {0}.",
        "« {0} »",
        "naïve café 😀 {0} 😀",
    ];

    public static string Any(Dice dice) => Braces(dice.Pick(Plain));

    /// <summary>A sentence with one of the words, before or after the value.</summary>
    public static string With(Dice dice, params string[] labels) => Braces(dice.Pick(labels));

    private static string Braces(string template) =>
        template.Replace("{{", "{", StringComparison.Ordinal).Replace("}}", "}", StringComparison.Ordinal);
}
