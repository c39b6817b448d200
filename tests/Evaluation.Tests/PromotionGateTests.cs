namespace FeedbackLoop.Evaluation.Tests;

public sealed class PromotionGateTests
{
    private static readonly PromotionPolicy Strict = new() { PromoteWithoutEvidence = false };
    private static readonly DifferenceInterval Up = new(0.05, 0.01, 0.09, 40);
    private static readonly DifferenceInterval Flat = new(0.01, -0.02, 0.04, 40);
    private static readonly DifferenceInterval Down = new(-0.05, -0.09, -0.01, 40);

    public static TheoryData<DifferenceInterval?, DifferenceInterval?, EvaluationVerdict> Verdicts => new()
    {
        { Up, Up, EvaluationVerdict.Better },
        { Up, Flat, EvaluationVerdict.Better },
        { Flat, Up, EvaluationVerdict.Better },
        { Up, null, EvaluationVerdict.Better },
        { Flat, Flat, EvaluationVerdict.NoEvidence },
        { null, null, EvaluationVerdict.NoEvidence },
        { Up, Down, EvaluationVerdict.Worse },
        { Down, Up, EvaluationVerdict.Worse },
        { Down, Flat, EvaluationVerdict.Worse },
        { null, Down, EvaluationVerdict.Worse },
    };

    [Theory]
    [MemberData(nameof(Verdicts))]
    public void A_verdict_follows_from_the_intervals(
        DifferenceInterval? entities, DifferenceInterval? relationships, EvaluationVerdict verdict) =>
        Assert.Equal(verdict, PromotionGate.Decide(new(40, entities, relationships, 0), new()).Verdict);

    [Fact]
    public void What_is_worse_never_goes_live_and_what_is_better_always()
    {
        foreach (var policy in (PromotionPolicy[])[new(), Strict])
        {
            Assert.False(PromotionGate.Decide(new(40, Down, Flat, 0), policy).GoesLive);
            Assert.True(PromotionGate.Decide(new(40, Up, Flat, 0), policy).GoesLive);
        }
    }

    [Fact]
    public void The_policy_says_what_becomes_of_no_evidence()
    {
        Assert.True(PromotionGate.Decide(new(40, Flat, Flat, 0), new()).GoesLive);
        Assert.False(PromotionGate.Decide(new(40, Flat, Flat, 0), Strict).GoesLive);
    }

    [Fact]
    public void Too_few_documents_are_said_as_such()
    {
        var decision = PromotionGate.Decide(new(19, Up, Up, 0), Strict);

        Assert.Equal((EvaluationVerdict.NoEvidence, false), (decision.Verdict, decision.GoesLive));
        Assert.Equal(
            "too few held-out documents to tell: 19 of 20; entity F1 +0.050 (+0.010 to +0.090); "
            + "relationship F1 +0.050 (+0.010 to +0.090)",
            decision.Reason);
        Assert.Equal(EvaluationVerdict.NoEvidence, PromotionGate.Decide(new(19, Down, Down, 0), Strict).Verdict);
        Assert.Equal(EvaluationVerdict.Better, PromotionGate.Decide(new(20, Up, Up, 0), Strict).Verdict);
    }

    [Fact]
    public void Without_held_out_chunks_there_is_no_evidence()
    {
        Assert.Equal(
            new PromotionDecision(EvaluationVerdict.NoEvidence, true, "no held-out chunks to compare on"),
            PromotionGate.Decide(null, new()));
        Assert.False(PromotionGate.Decide(new(0, null, null, null), Strict).GoesLive);
    }

    [Theory]
    [InlineData(40, -0.05, EvaluationVerdict.Worse)]
    [InlineData(10, -0.5, EvaluationVerdict.Worse)]
    [InlineData(40, -0.025, EvaluationVerdict.NoEvidence)] // one answer
    [InlineData(1_000, -0.02, EvaluationVerdict.NoEvidence)]
    [InlineData(40, 0.5, EvaluationVerdict.NoEvidence)]
    public void Answers_that_cannot_be_read_are_worse_from_two_on(int documents, double difference, EvaluationVerdict verdict) =>
        Assert.Equal(verdict, PromotionGate.Decide(new(documents, Flat, Flat, difference), new()).Verdict);

    [Fact]
    public void The_reason_has_the_figures() => Assert.Equal(
        "entity F1 +0.050 (+0.010 to +0.090); relationship F1 −0.050 (−0.090 to −0.010)",
        PromotionGate.Decide(new(40, Up, Down, 0), new()).Reason);
}
