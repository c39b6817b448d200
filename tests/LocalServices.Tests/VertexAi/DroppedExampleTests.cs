using Google.Cloud.AIPlatform.V1;

namespace FeedbackLoop.Local.VertexAi;

public sealed class DroppedExampleTests : VertexAiTestBase
{
    protected override VertexAiOptions Options(Uri storage, string directory) => new()
    {
        StorageAddress = storage,
        PendingDuration = TimeSpan.Zero,
        RunningDuration = TimeSpan.Zero,
        MaxExampleTokens = 500,
    };

    [Fact]
    public async Task An_example_that_is_too_long_is_dropped_and_the_job_still_succeeds()
    {
        var (text, answer) = StaffNotes.Write(1, seed: 1)[0];
        var tooLong = StaffNotes.Line(text + new string('x', 2000), answer) + "\n";
        await PutAsync(
            "run-1/train.jsonl",
            [.. StaffNotes.File(1, 1), .. System.Text.Encoding.UTF8.GetBytes(tooLong), .. StaffNotes.File(1, 2)]);

        var job = await TuneAsync();

        var stats = job.TuningDataStats.SupervisedTuningDataStats;
        Assert.Equal(JobState.Succeeded, job.State);
        Assert.Equal((3, 1), (stats.TuningDatasetExampleCount, stats.TotalTruncatedExampleCount));
        Assert.Equal([2L], stats.TruncatedExampleIndices);
        Assert.Contains("at most 500", Assert.Single(stats.DroppedExampleReasons), StringComparison.Ordinal);
    }
}
