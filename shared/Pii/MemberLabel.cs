using System.Text;

namespace FeedbackLoop.Pii;

/// <summary>
/// The words that say what a value is because of where it stands: the name of its member, and of those around it. A value is
/// read as if its words stood before it in a text.
/// </summary>
/// <param name="Parent">Null for the outermost.</param>
/// <param name="Name">As it stands in the JSON: <c>phoneNumber</c>, <c>phone_number</c>, <c>Phone No.</c>.</param>
public sealed record MemberLabel(MemberLabel? Parent, string Name)
{
    // Further words could not be near enough to a number to say what it is.
    private const int MostMembers = 4;

    /// <summary>A member that ends in one of these counts or measures something: <c>mobileUsers</c>, <c>phone.count</c>.</summary>
    private static readonly WordSet Figures = new("""
        count, counts, calls, users, customers, subscribers, subscriptions, sales, sold, rate, share, percentage, duration,
        minutes, seconds, hours, size, price, cost, costs, amount, year, date, time, timestamp, population, revenue, volume,
        total, sum, reach, visits, clicks, downloads, anzahl, menge, preis, datum, umsatz, nombre, prix, cantidad, precio, fecha
        """);

    /// <summary>Words of letters with a space between, the nearest last; empty when they say nothing about a person.</summary>
    public string ToWords()
    {
        var members = new List<string>();
        for (var label = this; label is not null && members.Count < MostMembers; label = label.Parent)
        {
            members.Add(label.Name);
        }

        var words = new StringBuilder();
        for (var i = members.Count - 1; i >= 0; i--)
        {
            Append(words, members[i]);
        }

        var text = words.ToString();
        return Figures.Contains(text.AsSpan(text.LastIndexOf(' ') + 1)) ? "" : text;
    }

    private static void Append(StringBuilder words, string name)
    {
        for (var i = 0; i < name.Length;)
        {
            if (!char.IsLetter(name[i]))
            {
                i++;
                continue;
            }

            var end = i + 1;
            while (end < name.Length && char.IsLetter(name[end]) && !BeginsWord(name, end))
            {
                end++;
            }

            if (!Placeholders.IsWordOfOne(name, i, end))
            {
                words.Append(words.Length == 0 ? "" : " ").Append(name, i, end - i);
            }

            i = end;
        }
    }

    /// <summary>A capital behind a small letter, and the last of several capitals: <c>phone|Number</c>, <c>SSN|Number</c>.</summary>
    private static bool BeginsWord(string name, int at) =>
        char.IsUpper(name[at])
        && (char.IsLower(name[at - 1]) || (at + 1 < name.Length && char.IsLower(name[at + 1])));
}
