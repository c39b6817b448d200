using System.Globalization;
using System.Text;

namespace FeedbackLoop.Extraction;

/// <summary>
/// Unicode's Normalization Form C: <c>e</c> with a combining accent and <c>é</c> are one text. Our own, because every program
/// here runs with <c>InvariantGlobalization</c>, where <see cref="string.Normalize()"/> hands back what it was given.
/// </summary>
/// <remarks>UAX #15; its table is <c>unicode-forms.txt</c>. Half of a surrogate pair stays where it is.</remarks>
public static class ComposedText
{
    private const int HangulFirst = 0xAC00;
    private const int HangulLast = 0xD7A3;
    private const int LeadFirst = 0x1100;
    private const int VowelFirst = 0x1161;
    private const int TailFirst = 0x11A7; // stands for "no tail"
    private const int Leads = 19;
    private const int Vowels = 21;
    private const int Tails = 28;

    public static string Of(string text) => Of(text, out _);

    /// <param name="origins">
    /// For each character of the result the one of <paramref name="text"/> that it comes from; null when nothing changed.
    /// </param>
    public static string Of(string text, out List<int>? origins)
    {
        origins = null;
        var next = NextUnsettled(text, 0);
        if (next == text.Length)
        {
            return text;
        }

        var result = new StringBuilder(text.Length);
        origins = new List<int>(text.Length);
        var done = 0;
        while (next < text.Length)
        {
            // What stands before may take it in; what stands behind begins anew.
            var start = next == done ? next : Before(text, next);
            for (; done < start; done++)
            {
                result.Append(text[done]);
                origins.Add(done);
            }

            var end = next + LengthAt(text, next);
            while (end < text.Length && IsUnsettled(text, end))
            {
                end += LengthAt(text, end);
            }

            Compose(text, start, end, result, origins);
            done = end;
            next = NextUnsettled(text, done);
        }

        for (; done < text.Length; done++)
        {
            result.Append(text[done]);
            origins.Add(done);
        }

        return result.ToString();
    }

    private static void Compose(string text, int start, int end, StringBuilder result, List<int> origins)
    {
        var parts = new List<Part>();
        for (var i = start; i < end; i += LengthAt(text, i))
        {
            Decompose(CodeAt(text, i), i, parts);
        }

        Order(parts);
        foreach (var part in Joined(parts))
        {
            var count = part.Code > char.MaxValue ? 2 : 1;
            if (count == 1)
            {
                result.Append((char)part.Code); // half of a pair, too
            }
            else
            {
                result.Append(char.ConvertFromUtf32(part.Code));
            }

            for (; count > 0; count--)
            {
                origins.Add(part.Origin);
            }
        }
    }

    private static void Decompose(int code, int origin, List<Part> parts)
    {
        if (code is >= HangulFirst and <= HangulLast)
        {
            var index = code - HangulFirst;
            parts.Add(new(LeadFirst + (index / (Vowels * Tails)), 0, origin));
            parts.Add(new(VowelFirst + (index % (Vowels * Tails) / Tails), 0, origin));
            if (index % Tails > 0)
            {
                parts.Add(new(TailFirst + (index % Tails), 0, origin));
            }
        }
        else if (Table.Parts.TryGetValue(code, out var of))
        {
            foreach (var part in of)
            {
                Decompose(part, origin, parts);
            }
        }
        else
        {
            parts.Add(new(code, Table.Classes.GetValueOrDefault(code), origin));
        }
    }

    // Marks between two starters by their classes; those of one class stay as they are.
    private static void Order(List<Part> parts)
    {
        for (var from = 0; from < parts.Count;)
        {
            var to = from + 1;
            while (parts[from].Class > 0 && to < parts.Count && parts[to].Class > 0)
            {
                to++;
            }

            if (to - from > 1)
            {
                var sorted = parts[from..to].OrderBy(part => part.Class).ToList();
                for (var i = 0; i < sorted.Count; i++)
                {
                    parts[from + i] = sorted[i];
                }
            }

            from = to;
        }
    }

    private static List<Part> Joined(List<Part> parts)
    {
        var joined = new List<Part>(parts.Count);
        var starter = -1;
        foreach (var part in parts)
        {
            // Something of the same or a higher class in between keeps a mark away from its starter.
            if (starter >= 0
                && (starter == joined.Count - 1 || (joined[^1].Class > 0 && joined[^1].Class < part.Class))
                && Pair(joined[starter].Code, part.Code) is { } whole)
            {
                joined[starter] = joined[starter] with { Code = whole };
                continue;
            }

            joined.Add(part);
            if (part.Class == 0)
            {
                starter = joined.Count - 1;
            }
        }

        return joined;
    }

    private static int? Pair(int first, int second)
    {
        if (first is >= LeadFirst and < LeadFirst + Leads && second is >= VowelFirst and < VowelFirst + Vowels)
        {
            return HangulFirst + ((((first - LeadFirst) * Vowels) + (second - VowelFirst)) * Tails);
        }

        if (first is >= HangulFirst and <= HangulLast && (first - HangulFirst) % Tails == 0
            && second is > TailFirst and < TailFirst + Tails)
        {
            return first + (second - TailFirst);
        }

        return Table.Wholes.TryGetValue((first, second), out var whole) ? whole : null;
    }

    private static int NextUnsettled(string text, int from)
    {
        while (from < text.Length)
        {
            var next = text.AsSpan(from).IndexOfAnyExceptInRange('\0', '\u02FF');
            from = next < 0 ? text.Length : from + next;
            if (from == text.Length || IsUnsettled(text, from))
            {
                break;
            }

            from += LengthAt(text, from);
        }

        return from;
    }

    private static bool IsUnsettled(string text, int index) => CodeAt(text, index) is >= 0x300 and var code && Table.IsUnsettled(code);

    private static int Before(string text, int index) =>
        index > 1 && char.IsSurrogatePair(text[index - 2], text[index - 1]) ? index - 2 : index - 1;

    private static int CodeAt(string text, int index) =>
        LengthAt(text, index) == 2 ? char.ConvertToUtf32(text[index], text[index + 1]) : text[index];

    private static int LengthAt(string text, int index) =>
        index + 1 < text.Length && char.IsSurrogatePair(text[index], text[index + 1]) ? 2 : 1;

    private readonly record struct Part(int Code, byte Class, int Origin);

    private static class Table
    {
        private const int Covered = 0x30000;
        private static readonly ulong[] Unsettled = new ulong[Covered / 64];

        static Table()
        {
            var name = $"{typeof(ComposedText).Namespace}.unicode-forms.txt";
            using var lines = new StreamReader(typeof(ComposedText).Assembly.GetManifestResourceStream(name)!);
            byte marks = 0;
            while (lines.ReadLine() is { } line)
            {
                int[] codes = [.. line.Split(' ').Skip(1).Select(code => line[0] == '#' ? 0 : int.Parse(code, NumberStyles.HexNumber, null))];
                switch (line[0])
                {
                    case 'D':
                        Parts[codes[0]] = codes[1..];
                        Wholes[(codes[1], codes[2])] = codes[0];
                        Mark(codes[2]);
                        break;
                    case 'N':
                        Parts[codes[0]] = codes[1..];
                        Mark(codes[0]);
                        break;
                    case 'M':
                        marks++;
                        Array.ForEach(codes, code => Classes[code] = marks);
                        Array.ForEach(codes, Mark);
                        break;
                }
            }

            for (var code = VowelFirst; code < TailFirst + Tails; code++)
            {
                Mark(code);
            }
        }

        public static Dictionary<int, int[]> Parts { get; } = [];

        public static Dictionary<(int First, int Second), int> Wholes { get; } = [];

        public static Dictionary<int, byte> Classes { get; } = [];

        /// <summary>Whether a character may change, or may change what stands before it.</summary>
        public static bool IsUnsettled(int code) => code < Covered && (Unsettled[code / 64] >> (code % 64) & 1) != 0;

        private static void Mark(int code) => Unsettled[code / 64] |= 1UL << (code % 64);
    }
}
