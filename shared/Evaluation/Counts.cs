namespace FeedbackLoop.Evaluation;

/// <summary>How many were to be found, how many were answered, and how many of these are right.</summary>
public readonly record struct Counts(int Correct, int Answered, int Expected)
{
    /// <summary>Null when nothing was answered.</summary>
    public double? Precision => Answered == 0 ? null : (double)Correct / Answered;

    /// <summary>Null when there was nothing to find.</summary>
    public double? Recall => Expected == 0 ? null : (double)Correct / Expected;

    /// <summary>Harmonic mean of both, from the counts: 2 · correct / (answered + expected). Null when both are 0.</summary>
    public double? F1 => Answered + Expected == 0 ? null : 2.0 * Correct / (Answered + Expected);

    public static Counts operator +(Counts one, Counts other) => Add(one, other);

    public static Counts Add(Counts one, Counts other) => new(
        one.Correct + other.Correct, one.Answered + other.Answered, one.Expected + other.Expected);

    /// <summary>Two sets of keys.</summary>
    internal static Counts Of<T>(HashSet<T> answered, HashSet<T> expected) =>
        new(answered.Count(expected.Contains), answered.Count, expected.Count);
}
