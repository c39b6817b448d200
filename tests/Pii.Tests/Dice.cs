namespace FeedbackLoop.Pii.Tests;

/// <summary>Random values with a fixed seed: the same texts on every machine.</summary>
internal sealed class Dice(int seed)
{
    private readonly Random _random = new(seed);

    /// <summary>From <paramref name="low"/> to <paramref name="high"/>, both possible.</summary>
    public int Between(int low, int high) => _random.Next(low, high + 1);

    public bool OneIn(int count) => _random.Next(count) == 0;

    public T Pick<T>(params T[] values) => values[_random.Next(values.Length)];

    public string Digits(int count) => Characters("0123456789", count);

    public string Hex(int count) => Characters("0123456789abcdef", count);

    public string Letters(int count) => Characters("ABCDEFGHIJKLMNOPQRSTUVWXYZ", count);

    /// <summary>Digits for each <c>#</c>, other signs as they are; <c>N</c> is a digit from 2 to 9.</summary>
    public string Fill(string pattern) => string.Concat(pattern.Select(Fill));

    private string Fill(char c) => c switch
    {
        '#' => Digits(1),
        'N' => Characters("23456789", 1),
        _ => c.ToString(),
    };

    private string Characters(string alphabet, int count) => new(_random.GetItems(alphabet.AsSpan(), count));
}
