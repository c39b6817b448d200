namespace FeedbackLoop.Knowledge.Import;

public sealed class ReviewMixtureTests
{
    private static readonly ImportOptions Options = new();

    [Fact]
    public void The_same_seed_decides_alike() => Assert.Equal(Draw(Options, 200), Draw(Options with { }, 200));

    [Fact]
    public void Another_seed_decides_otherwise() =>
        Assert.NotEqual(Draw(Options, 200), Draw(Options with { Seed = 2 }, 200));

    [Fact]
    public void The_reviewed_share_is_met()
    {
        var reviewed = Draw(Options, 2_000).Count(chunk => chunk[0].ReviewedBy is not null);

        Assert.InRange(reviewed, 700, 900);
    }

    [Fact]
    public void A_chunk_is_reviewed_whole_by_one_person_or_not_at_all() =>
        Assert.All(Draw(Options, 500), chunk => Assert.Single(chunk.Select(o => o.ReviewedBy).Distinct()));

    [Fact]
    public void Every_reviewer_has_work() =>
        Assert.Equal(
            Reviewers.All.Select(r => r.Id).Order(),
            Draw(Options, 500).SelectMany(c => c).Select(o => o.ReviewedBy).OfType<Guid>().Distinct().Order());

    [Fact]
    public void The_rejected_share_counts_among_reviewed_objects_only()
    {
        var objects = Draw(Options with { RejectedShare = 0.1 }, 2_000).SelectMany(c => c).ToList();

        var reviewed = objects.Where(o => o.ReviewedBy is not null).ToList();
        Assert.InRange(reviewed.Count(o => o.Status == "rejected") / (double)reviewed.Count, 0.08, 0.12);
        Assert.DoesNotContain(objects, o => o.Status == "rejected" && o.ReviewedBy is null);
    }

    [Fact]
    public void The_objects_of_a_chunk_are_of_like_confidence() =>
        Assert.All(Draw(Options, 500), chunk =>
        {
            Assert.InRange(chunk.Max(o => o.Confidence) - chunk.Min(o => o.Confidence), 0, 0.0601);
            Assert.All(chunk, o => Assert.InRange(o.Confidence, 0.7f, 1f));
        });

    [Fact]
    public void Confidences_fill_the_whole_range()
    {
        var chunks = Draw(Options with { ReviewedShare = 0 }, 2_000);

        var means = chunks.Select(c => c.Average(o => (double)o.Confidence)).ToList();

        Assert.InRange(means.Average(), 0.84, 0.86);
        Assert.True(means.Min() < 0.72 && means.Max() > 0.98);
    }

    [Fact]
    public void What_nobody_reviewed_is_accepted_from_85_percent_and_otherwise_waits() =>
        Assert.All(Draw(Options with { ReviewedShare = 0 }, 500).SelectMany(c => c), o =>
        {
            Assert.Equal(o.Confidence >= 0.85 ? "accepted" : "draft", o.Status);
            Assert.Equal(o.Status == "draft", o.NeedsReview);
        });

    [Theory]
    [InlineData(0.0)]
    [InlineData(1.0)]
    public void A_word_of_its_own_wins_over_the_mixture(double reviewedShare)
    {
        var mixture = new ReviewMixture(Options with { ReviewedShare = reviewedShare, RejectedShare = 1 }, "c");

        Assert.Equal(("accepted", true), Outcome(mixture.Next("reviewed")));
        Assert.Equal(("rejected", true), Outcome(mixture.Next("rejected")));
        Assert.Equal(new ObjectReview("accepted", 0.95f, null), mixture.Next("accepted"));
        Assert.Equal(new ObjectReview("draft", 0.6f, null), mixture.Next("pending"));
    }

    [Fact]
    public void A_word_of_its_own_does_not_change_the_next_object()
    {
        var (with, without) = (new ReviewMixture(Options, "c"), new ReviewMixture(Options, "c"));
        with.Next("pending");
        without.Next(null);

        Assert.Equal(without.Next(null), with.Next(null));
    }

    private static (string Status, bool IsReviewed) Outcome(ObjectReview review) =>
        (review.Status, review.ReviewedBy is not null);

    private static List<ObjectReview[]> Draw(ImportOptions options, int chunks) =>
        Enumerable.Range(0, chunks)
            .Select(i =>
            {
                var mixture = new ReviewMixture(options, $"chunk-{i}");
                return Enumerable.Range(0, 10).Select(_ => mixture.Next(null)).ToArray();
            })
            .ToList();
}
