namespace FeedbackLoop.Pii;

/// <summary>
/// International bank account numbers (ISO 13616): the country's length and form, and the remainder 1 modulo 97. The
/// remainder alone lets 1 % of swaps between a letter and a digit pass.
/// </summary>
internal static class IbanDetector
{
    // Check digits included. The forms of some countries allow letters everywhere and so fit words with a number
    // between them; their accounts have digits.
    private const int MinDigits = 10;

    private const int MinUnregistered = 22;

    public static void Run(scoped ref PiiScan scan)
    {
        Span<char> compact = stackalloc char[IbanFormats.MaxLength];
        Span<int> ends = stackalloc int[IbanFormats.MaxLength];
        var text = scan.Text;
        var free = 0;
        for (var i = 0; i < scan.Groups.Length && !scan.IsDone; i++)
        {
            var start = scan.Groups[i].Start - 2;
            if (start < free || !IsHead(text, start))
            {
                continue;
            }

            var length = Collect(text, start, compact, ends);
            var accepted = AcceptedLength(text, start, compact[..length], ends);
            if (accepted > 0 && !scan.IsFound(start, ends[accepted - 1]))
            {
                free = ends[accepted - 1];
                scan.Add(PiiKind.Iban, start, free);
            }
        }
    }

    /// <summary>Two letters of a country and two check digits, at the start of a word.</summary>
    private static bool IsHead(ReadOnlySpan<char> text, int start) =>
        start >= 0 && char.IsAsciiLetter(text[start]) && char.IsAsciiLetter(text[start + 1])
        && start + 3 < text.Length && char.IsAsciiDigit(text[start + 3])
        && (start == 0 || !Boundary.IsWordCharacter(text[start - 1])
            || (start >= 4 && text[(start - 4)..start].Equals("IBAN", StringComparison.OrdinalIgnoreCase)));

    /// <summary>Letters and digits from <paramref name="start"/> on, with at most one separator between two.</summary>
    private static int Collect(ReadOnlySpan<char> text, int start, Span<char> compact, Span<int> ends)
    {
        var length = 0;
        var position = start;
        while (length < compact.Length && position < text.Length)
        {
            if (!char.IsAsciiLetterOrDigit(text[position]))
            {
                var next = position + 1;
                while (next < text.Length && next < position + 3 && text[next] is ' ' or '\r' or '\n')
                {
                    next++;
                }

                if (next >= text.Length || !char.IsAsciiLetterOrDigit(text[next])
                    || Separator.Between(text, position, next) is not (' ' or '-' or '.'))
                {
                    break;
                }

                position = next;
            }

            compact[length] = char.ToUpperInvariant(text[position]);
            ends[length++] = ++position;
        }

        return length;
    }

    /// <summary>Characters of the IBAN at the start of <paramref name="compact"/>; 0 when there is none.</summary>
    private static int AcceptedLength(
        ReadOnlySpan<char> text, int start, ReadOnlySpan<char> compact, ReadOnlySpan<int> ends)
    {
        if (compact.Length < IbanFormats.MinLength)
        {
            return 0;
        }

        if (IbanFormats.Find(compact[..2]) is { } form)
        {
            var length = form.Length + 4;
            return compact.Length >= length && IbanFormats.Fits(form, compact[4..length])
                && EndsWord(text, ends[length - 1]) && IsIban(compact[..length])
                ? length
                : 0;
        }

        // Some two dozen countries issue numbers of 22 and more characters without having registered a form: the word
        // beside them decides, and the longest tail that adds up.
        if (WordWindow.Has(text, start, ends[compact.Length - 1], ContextWords.Bank))
        {
            for (var length = compact.Length; length >= MinUnregistered; length--)
            {
                if (EndsWord(text, ends[length - 1]) && IsIban(compact[..length]))
                {
                    return length;
                }
            }
        }

        return 0;
    }

    private static bool EndsWord(ReadOnlySpan<char> text, int end) =>
        end >= text.Length || !(Boundary.IsWordCharacter(text[end]) || text[end] == '@');

    private static bool IsIban(ReadOnlySpan<char> compact)
    {
        var digits = 0;
        var remainder = 0;
        for (var i = 0; i < compact.Length; i++)
        {
            var c = compact[(i + 4) % compact.Length];
            if (char.IsAsciiDigit(c))
            {
                digits++;
                remainder = ((remainder * 10) + (c - '0')) % 97;
            }
            else
            {
                remainder = ((remainder * 100) + (c - 'A' + 10)) % 97;
            }
        }

        return remainder == 1 && digits >= MinDigits;
    }
}
