namespace FeedbackLoop.Pii.Tests;

/// <summary>Numbers made from numbering plans (areas and lengths), not by the library that the scanner asks.</summary>
internal static class PhoneSamples
{
    /// <summary>Forms that need no word.</summary>
    private static readonly string[] Formatted =
    [
        "(212) N##-####", "415-N##-####", "1-312-N##-####", "303.N##.####", "(617)N##-####", "+1 (646) N##-####",
        "+1-713-N##-####", "+1206N######", "1 800 N## ####",
        "+49 30 N#######", "030 N#######", "030/N#######", "+49 (0)89 N######", "0151 N#######", "0049 171 N######",
        "089-N#######", "+4917#N######", "(030) N#######", "0221 / N## ## ##",
        "+33 6 N# ## ## ##", "01 4# ## ## ##", "06.N#.##.##.##", "06-N#-##-##-##", "+33 (0)1 4# ## ## ##",
        "0033 6 N# ## ## ##",
        "020 7N## ####", "07911 N#####", "+44 20 7N## ####", "+44 (0)7911 N#####", "0161 4## ####", "(0131) 2## ####",
        "+34 612 N## ###", "+34 91 N## ## ##", "0034 612 N## ###", "+39 06 N### ####", "06 6N## ####",
        "+39 347 N######",
        "+41 44 N## ## ##", "044 N## ## ##", "+31 6 N#######", "020 N## ####", "+48 60# N## ###", "+46 70 N## ## ##",
        "+43 1 N######", "+91 98### #####", "+61 2 9N## ####", "0412 N## ###", "+55 11 9N###-####", "(11) 9N###-####",
        "+81 3-3N##-####", "03-3N##-####", "+52 55 1N## ####", "+86 138 1### ####", "+7 916 N##-##-##",
        "+90 532 N## ## ##",
    ];

    /// <summary>Forms that other numbers have too.</summary>
    private static readonly string[] Bare =
    [
        "212N######", "N##-####", "0301N######", "0612N#####", "612 N## ###", "91 N## ## ##", "98### #####",
        "60# N## ###",
        "02079N#####", "347 N######", "55 1N## ####", "0171N######", "49171N######",
    ];

    public static IEnumerable<Sample> Positives(int count, int seed)
    {
        var dice = new Dice(seed);
        for (var i = 0; i < count; i++)
        {
            var isBare = dice.OneIn(4);
            var value = Disguise.Any(dice, dice.Fill(dice.Pick(isBare ? Bare : Formatted)));
            var frame = isBare || dice.OneIn(2)
                ? Frames.With(
                    dice,
                    "Call {0} after 5 pm", "Tel.: {0}", "Telefon {0}", "Phone: {0}, ask for Ann",
                    "Rufen Sie mich an, Handy {0}.",
                    "Appelez le {0} avant 18 h", "Llame al {0} hoy", "{{\"phone\":\"{0}\"}}",
                    "<td>Mobile</td><td>{0}</td>",
                    "fax {0}", "My cell is {0}.", "Téléphone : {0}", "Teléfono: {0}", "?tel={0}&x=1", "WhatsApp {0}")
                : Frames.Any(dice);
            yield return Sample.Positive(PiiKind.Phone, frame, value);
        }
    }
}
