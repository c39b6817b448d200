namespace FeedbackLoop.Datasets;

/// <summary>How large <c>validation.jsonl</c> may be beside <c>train.jsonl</c>.</summary>
/// <remarks>
/// Sources: counts, "About supervised fine-tuning", Limitations, 2026-09-25; the quarter of the bytes, google/skills,
/// <c>agent-platform-tuning</c>, <c>data_prep.md</c>, 2026-08-21, which tells of refusals at 25.03 to 26.45 %. It speaks of
/// open models; keeping to it costs a tuning job of Gemini nothing.
/// </remarks>
public static class ValidationLimits
{
    public const int MaxExamples = 5_000;

    /// <summary>Up to so many validation examples are fine, however few train.</summary>
    public const int FreeExamples = 1_000;

    /// <returns>Why Vertex would refuse files of these sizes; null when it would not.</returns>
    public static string? Check(int trainExamples, long trainBytes, int examples, long bytes) =>
        examples > MostExamples(trainExamples)
            ? $"validation.jsonl has {examples} examples, and Vertex takes {MostExamples(trainExamples)} beside {trainExamples} "
                + "that train"
        : bytes > MostBytes(trainBytes)
            ? $"validation.jsonl has {bytes} bytes, more than a quarter of the {trainBytes} of train.jsonl"
        : null;

    /// <summary>Most examples that may validate beside so many that train.</summary>
    public static int MostExamples(int trainExamples) =>
        (int)Math.Clamp(3L * trainExamples / 10, FreeExamples, MaxExamples);

    /// <summary>Most bytes that may validate beside so many that train.</summary>
    public static long MostBytes(long trainBytes) => trainBytes / 4;
}
