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
        Assert.Equal(verdict, Decide(Compared(40, entities, relationships), new()).Verdict);

    [Fact]
    public void What_is_worse_never_goes_live_and_what_is_better_always()
    {
        foreach (var policy in (PromotionPolicy[])[new(), Strict])
        {
            Assert.False(Decide(Compared(40, Down, Flat), policy).GoesLive);
            Assert.True(Decide(Compared(40, Up, Flat), policy).GoesLive);
        }
    }

    [Fact]
    public void The_policy_says_what_becomes_of_no_evidence()
    {
        Assert.True(Decide(Compared(40, Flat, Flat), new()).GoesLive);
        Assert.False(Decide(Compared(40, Flat, Flat), Strict).GoesLive);
    }

    [Theory]
    [InlineData(40)]
    [InlineData(3)]
    [InlineData(null)]
    public void Without_evidence_nothing_replaces_a_tuned_model(int? documents)
    {
        var comparison = documents is { } count ? Compared(count, Flat, Flat) : null;

        Assert.Equal(
            (EvaluationVerdict.NoEvidence, true, false),
            (Decide(comparison, new(), isTunedInUse: true).Verdict, Decide(comparison, new(), isTunedInUse: false).GoesLive,
                Decide(comparison, new(), isTunedInUse: true).GoesLive));
        Assert.True(Decide(Compared(40, Up, Flat), new(), isTunedInUse: true).GoesLive);
    }

    [Theory]
    [InlineData(5, 20, EvaluationVerdict.NoEvidence)]
    [InlineData(6, 20, EvaluationVerdict.Worse)]
    [InlineData(19, 20, EvaluationVerdict.Worse)]
    [InlineData(2, 3, EvaluationVerdict.NoEvidence)]
    [InlineData(3, 3, EvaluationVerdict.Worse)] // who takes three as evidence takes them for both
    public void Six_documents_are_enough_to_keep_a_model_back(int documents, int minDocuments, EvaluationVerdict verdict)
    {
        var policy = new PromotionPolicy { MinDocuments = minDocuments };

        foreach (var comparison in new[] { Compared(documents, Down, Up), Compared(documents, null, Down) })
        {
            var decision = Decide(comparison, policy);
            Assert.Equal((verdict, verdict != EvaluationVerdict.Worse), (decision.Verdict, decision.GoesLive));
        }

        Assert.Equal(EvaluationVerdict.NoEvidence, Decide(Compared(documents, Flat, null), policy).Verdict);
    }

    [Fact]
    public void A_loss_on_few_documents_is_said_with_its_figures() => Assert.Equal(
        new PromotionDecision(EvaluationVerdict.Worse, GoesLive: false, "entity F1 −0.850 (−0.900 to −0.800)"),
        Decide(Compared(19, new(-0.85, -0.9, -0.8, 19), null), new(), isTunedInUse: true));

    [Fact]
    public void Too_few_documents_are_said_as_such()
    {
        var decision = Decide(Compared(19, Up, Up), Strict);

        Assert.Equal((EvaluationVerdict.NoEvidence, false), (decision.Verdict, decision.GoesLive));
        Assert.Equal(
            "too few held-out documents to tell: 19 of 20; entity F1 +0.050 (+0.010 to +0.090); "
            + "relationship F1 +0.050 (+0.010 to +0.090)",
            decision.Reason);
        Assert.Equal(EvaluationVerdict.Better, Decide(Compared(20, Up, Up), Strict).Verdict);
    }

    [Fact]
    public void Without_held_out_chunks_there_is_no_evidence()
    {
        Assert.Equal(
            new PromotionDecision(EvaluationVerdict.NoEvidence, true, "no held-out chunks to compare on"),
            Decide(null, new()));
        Assert.False(Decide(Compared(0, null, null), Strict).GoesLive);
    }

    [Theory]
    [InlineData(40, 38, 40, EvaluationVerdict.Worse)]
    [InlineData(20, 18, 20, EvaluationVerdict.Worse)]
    [InlineData(10, 5, 10, EvaluationVerdict.Worse)]
    [InlineData(40, 39, 40, EvaluationVerdict.NoEvidence)] // one answer
    [InlineData(1_000, 980, 1_000, EvaluationVerdict.NoEvidence)]
    [InlineData(1_000, 979, 1_000, EvaluationVerdict.Worse)]
    [InlineData(40, 40, 20, EvaluationVerdict.NoEvidence)]
    public void Answers_that_cannot_be_read_are_worse_from_two_on(
        int chunks, int readable, int otherReadable, EvaluationVerdict verdict) => Assert.Equal(
            verdict, Decide(new(40, chunks, Flat, Flat, readable, otherReadable), new()).Verdict);

    [Fact]
    public void Any_two_answers_more_that_cannot_be_read_are_found() => Assert.All(
        Enumerable.Range(2, 98),
        chunks => Assert.Equal(
            EvaluationVerdict.Worse,
            Decide(new(2, chunks, Flat, Flat, chunks - 2, chunks), new()).Verdict));

    [Fact]
    public void The_reason_has_the_figures() => Assert.Equal(
        "entity F1 +0.050 (+0.010 to +0.090); relationship F1 −0.050 (−0.090 to −0.010)",
        Decide(Compared(40, Up, Down), new()).Reason);

    [Theory]
    [InlineData(5, 0, EvaluationVerdict.NoEvidence)] // one in 32
    [InlineData(6, 0, EvaluationVerdict.Worse)] // one in 64
    [InlineData(7, 1, EvaluationVerdict.NoEvidence)] // 9 in 256
    [InlineData(8, 1, EvaluationVerdict.Worse)] // 10 in 512
    [InlineData(60, 50, EvaluationVerdict.NoEvidence)]
    [InlineData(1_200, 1_000, EvaluationVerdict.Worse)]
    [InlineData(0, 60, EvaluationVerdict.NoEvidence)]
    public void Inventing_more_in_more_documents_than_chance_would_is_worse(int more, int fewer, EvaluationVerdict verdict)
    {
        var inventions = new InventionComparison(more + fewer + 10, 99, 9, more, fewer);

        foreach (var documents in (int[])[0, 3, 40])
        {
            Assert.Equal(
                verdict, Decide(Compared(documents, Flat, Flat) with { Inventions = inventions }, new()).Verdict);
        }
    }

    [Fact]
    public void Inventing_more_is_worse_however_much_better_the_rest_is()
    {
        var decision = Decide(
            Compared(40, Up, Up) with { Inventions = new InventionComparison(9, 14, 2, 7, 0) }, new());

        Assert.Equal((EvaluationVerdict.Worse, false), (decision.Verdict, decision.GoesLive));
        Assert.Equal(
            "it invents where nothing is to be found: more than before in 7 documents, fewer in 0; "
            + "entity F1 +0.050 (+0.010 to +0.090); relationship F1 +0.050 (+0.010 to +0.090); "
            + "14 entities invented in 9 texts with nothing to find, up from 2",
            decision.Reason);
    }

    [Theory]
    [InlineData(1, 14, "1 entity invented in 9 texts with nothing to find, down from 14")]
    [InlineData(2, 2, "2 entities invented in 9 texts with nothing to find, as many as before")]
    public void Fewer_inventions_are_named_and_decide_nothing(int invented, int other, string words)
    {
        var decision = Decide(
            Compared(40, Flat, null) with { Inventions = new InventionComparison(9, invented, other, 0, 8) }, new());

        Assert.Equal(EvaluationVerdict.NoEvidence, decision.Verdict);
        Assert.Equal($"entity F1 +0.010 (−0.020 to +0.040); {words}", decision.Reason);
    }

    [Fact]
    public void A_held_out_file_of_such_texts_alone_says_so() => Assert.Equal(
        "too few held-out documents to tell: 0 of 20; 0 entities invented in 3 texts with nothing to find, as many as before",
        Decide(Compared(0, null, null) with { Inventions = new InventionComparison(3, 0, 0, 0, 0) }, new()).Reason);

    private static PromotionDecision Decide(
        EvaluationComparison? comparison, PromotionPolicy policy, bool isTunedInUse = false) =>
        PromotionGate.Decide(comparison, isTunedInUse, policy);

    private static EvaluationComparison Compared(
        int documents, DifferenceInterval? entities, DifferenceInterval? relationships) =>
        new(documents, documents, entities, relationships, documents, documents);
}
