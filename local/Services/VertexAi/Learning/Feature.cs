namespace FeedbackLoop.Local.VertexAi.Learning;

/// <summary>
/// Features are hashes: the same words under the same kind always give the same number, in every process.
/// </summary>
internal static class Feature
{
    private const ulong Offset = 14695981039346656037;
    private const ulong Prime = 1099511628211;

    public static ulong Of(int kind, ReadOnlySpan<char> first, ReadOnlySpan<char> second = default,
        ReadOnlySpan<char> third = default)
    {
        var hash = (Offset ^ (uint)kind) * Prime;
        hash = Add(Add(Add(hash, first), second), third);
        return hash ^ (hash >> 29);
    }

    public static ulong Of(int kind, int number) => ((((Offset ^ (uint)kind) * Prime) ^ (uint)number) * Prime) ^ 0x9E37;

    public static ulong Combine(ulong first, ulong second) => ((first ^ (second >> 17)) * Prime) + second;

    /// <summary>Capitals X, small letters x, digits 9; runs count once: "McGill-2" is "XxXx-9".</summary>
    public static string Shape(string word)
    {
        Span<char> shape = stackalloc char[Math.Min(word.Length, 16)];
        var length = 0;
        foreach (var c in word)
        {
            var kind = char.IsUpper(c) ? 'X' : char.IsLetter(c) ? 'x' : char.IsDigit(c) ? '9' : c;
            if (length == shape.Length)
            {
                break;
            }

            if (length == 0 || shape[length - 1] != kind)
            {
                shape[length++] = kind;
            }
        }

        return new string(shape[..length]);
    }

    private static ulong Add(ulong hash, ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            hash = (hash ^ c) * Prime;
        }

        return (hash ^ 0x1F) * Prime;
    }
}
