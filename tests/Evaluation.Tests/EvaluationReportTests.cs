namespace FeedbackLoop.Evaluation.Tests;

public sealed class EvaluationReportTests
{
    private static readonly PromotionPolicy Policy = new() { MinDocuments = 2 };
    private static readonly Guid[] Documents = [.. Enumerable.Range(1, 4).Select(i => new Guid(i, 0, 0, new byte[8]))];

    [Theory]
    [InlineData("live", "live general base")]
    [InlineData("general", "general base")]
    [InlineData("base", "base")]
    public void The_verdict_is_about_the_model_that_would_be_replaced(string reference, string roles)
    {
        var others = roles.Split(' ');
        var report = EvaluationReport.Of(
            [Subject(ComparedWith.Self), .. others.Select(Subject)],
            [.. others.SelectMany(role => Answers(role, 1)), .. Answers(ComparedWith.Self, 2)], isOutOfTime: false, Policy);

        Assert.Equal(reference, report.Reference);
        Assert.Equal(EvaluationVerdict.Better, report.Decision.Verdict);
        Assert.Equal(["self", .. others], report.Models.Select(model => model.Role));
    }

    [Fact]
    public void A_model_that_is_gone_takes_no_part()
    {
        var report = EvaluationReport.Of(
            [Subject(ComparedWith.Self), Subject(ComparedWith.Live) with { Problem = "gone" }, Subject(ComparedWith.Base)],
            [.. Answers(ComparedWith.Live, 2), .. Answers(ComparedWith.Base, 1), .. Answers(ComparedWith.Self, 2)],
            isOutOfTime: false, Policy);

        Assert.Equal("base", report.Reference);
        Assert.Equal(["self", "base"], report.Models.Select(model => model.Role));
    }

    [Fact]
    public void Only_what_both_have_answered_is_compared()
    {
        // On the chunks that the other one has answered as well there is no difference.
        var report = Report([.. Answers(ComparedWith.Base, 2)[..2], .. Answers(ComparedWith.Self, 2)[..2], Answer(ComparedWith.Self, 3, 0)]);

        Assert.Equal(2, report.Models[1].Comparison!.Documents);
        Assert.Equal(0, report.Models[1].Comparison!.Entities!.Difference);
        Assert.Equal(3, report.Models[0].Scores.Chunks);
    }

    [Fact]
    public void What_a_new_model_has_not_answered_in_its_time_it_cannot_answer()
    {
        EvaluationAnswer[] answers = [.. Answers(ComparedWith.Base, 1), .. Answers(ComparedWith.Self, 2)[..1]];

        var early = Report(answers);
        var late = Report(answers, isOutOfTime: true);

        Assert.Equal(1, early.Models[1].Comparison!.Documents);
        Assert.Equal((EvaluationVerdict.Worse, false), (late.Decision.Verdict, late.Decision.GoesLive));
        Assert.Equal(0.25, late.Models[0].Scores.ValidRate);
        Assert.Equal(new Score(2, 2, 8, 1, 0.25, 0.4), late.Models[0].Scores.Entities);
    }

    [Fact]
    public void What_a_new_model_has_not_answered_knows_no_type_that_another_one_invented()
    {
        var invented = ExtractionScorer.Score(
            Documents[0], "Ada knows Bob.", new([new("Person", "Ada")], []), new([new("Ghost", "Bob")], []));

        var report = Report([new(ComparedWith.Base, 0, invented, Problem: null, 1, 1, 1, 0)], isOutOfTime: true);

        Assert.Equal(["person"], report.Models[0].Scores.ByType.Keys);
    }

    [Fact]
    public void Answers_that_neither_can_give_in_its_form_count_against_neither()
    {
        EvaluationAnswer[] self = [.. Answers(ComparedWith.Self, 2)[..2], Unreadable(ComparedWith.Self, 2), Unreadable(ComparedWith.Self, 3)];
        EvaluationAnswer[] other = [.. self.Select(answer => answer with { Role = ComparedWith.Base })];

        var same = Report([.. other, .. self]);
        var lost = Report([.. Answers(ComparedWith.Base, 2), .. self]);

        Assert.Equal((2, 2), (same.Models[1].Comparison!.Readable, same.Models[1].Comparison!.OtherReadable));
        Assert.Equal(EvaluationVerdict.NoEvidence, same.Decision.Verdict);
        Assert.Equal((2, 4), (lost.Models[1].Comparison!.Readable, lost.Models[1].Comparison!.OtherReadable));
        Assert.Equal(EvaluationVerdict.Worse, lost.Decision.Verdict);
    }

    [Fact]
    public void Without_any_answer_there_is_no_evidence()
    {
        var report = Report([]);

        Assert.Equal((EvaluationVerdict.NoEvidence, "base"), (report.Decision.Verdict, report.Reference));
        Assert.Empty(report.Models);
    }

    [Fact]
    public void Who_would_be_replaced_keeps_its_place_however_little_it_has_answered()
    {
        EvaluationSubject[] subjects = [Subject(ComparedWith.Self), Subject(ComparedWith.Live), Subject(ComparedWith.Base)];
        EvaluationAnswer[] others = [.. Answers(ComparedWith.Base, 1), .. Answers(ComparedWith.Self, 2)];

        var silent = EvaluationReport.Of(subjects, others, isOutOfTime: false, Policy);
        var once = EvaluationReport.Of(
            subjects, [.. others, Answer(ComparedWith.Live, 0, 1)], isOutOfTime: false, Policy);
        var worse = EvaluationReport.Of(
            subjects, [.. Answers(ComparedWith.Base, 2), .. Answers(ComparedWith.Self, 1), Answer(ComparedWith.Live, 0, 1)],
            isOutOfTime: false, Policy);

        Assert.Equal(
            ("live", "the live model has answered no held-out chunk"), (silent.Reference, silent.Decision.Reason));
        Assert.Equal((EvaluationVerdict.NoEvidence, "live"), (once.Decision.Verdict, once.Reference));
        Assert.Equal((EvaluationVerdict.Worse, false), (worse.Decision.Verdict, worse.Decision.GoesLive));
        Assert.StartsWith("than the base model: ", worse.Decision.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_is_worse_than_the_best_that_was_ever_in_use_is_kept_back()
    {
        var (live, self) = (Answers(ComparedWith.Live, 1), Answers(ComparedWith.Self, 1));
        EvaluationSubject[] subjects =
            [Subject(ComparedWith.Self), Subject(ComparedWith.Live), Subject(ComparedWith.Best) with { Version = 3 }, Subject(ComparedWith.Base)];

        var equal = Of([.. live, .. self, .. Answers(ComparedWith.Best, 1)]);
        var lost = Of([.. live, .. self, .. Answers(ComparedWith.Best, 2)]);
        var lostAndGained = Of([.. Answers(ComparedWith.Live, 0), .. self, .. Answers(ComparedWith.Best, 2)]);
        var gone = EvaluationReport.Of(
            [.. subjects.Select(each => each.Role == ComparedWith.Best ? each with { Problem = "gone" } : each)],
            [.. live, .. self, .. Answers(ComparedWith.Best, 2)], isOutOfTime: false, Policy);

        Assert.Equal((EvaluationVerdict.NoEvidence, "live"), (equal.Decision.Verdict, equal.Reference));
        Assert.Equal((EvaluationVerdict.Worse, false, "live"), (lost.Decision.Verdict, lost.Decision.GoesLive, lost.Reference));
        Assert.Equal(
            "than version 3, the best that was ever in use here: entity F1 −0.333 (−0.333 to −0.333); "
            + "than the live model: entity F1 0.000 (0.000 to 0.000)",
            lost.Decision.Reason);
        Assert.Equal((EvaluationVerdict.Worse, false), (lostAndGained.Decision.Verdict, lostAndGained.Decision.GoesLive));
        Assert.Equal(lost.Decision, gone.Decision);

        EvaluationReport Of(EvaluationAnswer[] answers) =>
            EvaluationReport.Of(subjects, answers, isOutOfTime: false, Policy);
    }

    [Fact]
    public void Answers_of_another_time_do_not_say_that_a_model_could_have_answered()
    {
        var report = EvaluationReport.Of(
            [Subject(ComparedWith.Self), Subject(ComparedWith.Live), Subject(ComparedWith.Best)],
            Answers(ComparedWith.Best, 2), isOutOfTime: true, Policy);

        Assert.Equal(
            new PromotionDecision(EvaluationVerdict.NoEvidence, GoesLive: false, "the new model has answered no held-out chunk"),
            report.Decision);
    }

    [Fact]
    public void What_is_kept_back_for_another_reason_stays_worse_when_it_is()
    {
        var worse = Report([.. Answers(ComparedWith.Base, 2), .. Answers(ComparedWith.Self, 1)]).KeptBack("the file is gone");
        var better = Report([.. Answers(ComparedWith.Base, 1), .. Answers(ComparedWith.Self, 2)]).KeptBack("the file is gone");
        var empty = EvaluationReport.Empty("nothing", isTunedInUse: false, Policy).KeptBack("the file is gone");

        Assert.Equal(
            new PromotionDecision(EvaluationVerdict.Worse, false, "the file is gone; entity F1 −0.333 (−0.333 to −0.333)"),
            worse.Decision);
        Assert.Equal(
            new PromotionDecision(EvaluationVerdict.NoEvidence, false, "the file is gone; entity F1 +0.333 (+0.333 to +0.333)"),
            better.Decision);
        Assert.Equal(new PromotionDecision(EvaluationVerdict.NoEvidence, false, "the file is gone"), empty.Decision);
    }

    [Theory]
    [InlineData("live", false)]
    [InlineData("general", false)]
    [InlineData("base", true)]
    public void Without_evidence_a_model_goes_live_only_in_the_place_of_the_base_model(string reference, bool goesLive)
    {
        var report = EvaluationReport.Of(
            [Subject(ComparedWith.Self), Subject(reference)], [.. Answers(reference, 1), .. Answers(ComparedWith.Self, 1)],
            isOutOfTime: false, Policy);

        Assert.Equal((EvaluationVerdict.NoEvidence, goesLive), (report.Decision.Verdict, report.Decision.GoesLive));
    }

    [Fact]
    public void The_same_answers_give_the_same_report()
    {
        EvaluationAnswer[] answers =
            [.. Answers(ComparedWith.Base, 1), Answer("self", 0, 2), Answer("self", 1, 0), Answer("self", 2, 2), Answer("self", 3, 1)];

        Assert.Equal(Report(answers).Decision, Report([.. answers.Reverse()]).Decision);
    }

    [Fact]
    public void Texts_with_nothing_to_find_are_counted_beside_the_others_and_are_no_evidence_of_finding()
    {
        EvaluationAnswer[] answers =
        [
            .. Answers(ComparedWith.Base, 1)[..1], .. Answers(ComparedWith.Self, 2)[..1],
            Invented(ComparedWith.Base, 1, 2), Invented(ComparedWith.Base, 2, 0), Invented(ComparedWith.Base, 3, 1),
            Invented(ComparedWith.Self, 1, 0), Invented(ComparedWith.Self, 2, 1), Invented(ComparedWith.Self, 3, 0),
        ];

        var report = Report(answers);

        var comparison = report.Models[1].Comparison!;
        Assert.Equal(new EmptyTextScore(3, 1, 1, 1 / 3.0), report.Models[0].Scores.EmptyTexts);
        Assert.Equal(new EmptyTextScore(3, 2, 3, 1), report.Models[1].Scores.EmptyTexts);
        Assert.Equal(new InventionComparison(3, 1, 3, MoreIn: 1, FewerIn: 2), comparison.Inventions);
        Assert.Equal((1, 4), (comparison.Documents, comparison.Chunks));
        Assert.StartsWith("too few held-out documents to tell: 1 of 2; ", report.Decision.Reason, StringComparison.Ordinal);

        // What is invented is answered, and wrong.
        Assert.Equal(new Score(2, 3, 2, 2 / 3.0, 1, 0.8), report.Models[0].Scores.Entities);
        Assert.Equal(new Score(1, 4, 2, 0.25, 0.5, 1 / 3.0), report.Models[1].Scores.Entities);
    }

    [Fact]
    public void An_answer_that_cannot_be_read_has_invented_nothing_and_shows_nothing()
    {
        EvaluationAnswer[] answers =
        [
            Invented(ComparedWith.Base, 0, 2), Invented(ComparedWith.Base, 1, null), Invented(ComparedWith.Base, 2, 1),
            Invented(ComparedWith.Self, 0, null), Invented(ComparedWith.Self, 1, 2), Invented(ComparedWith.Self, 2, 2),
        ];

        var report = Report(answers);

        Assert.Equal(new EmptyTextScore(3, 2, 4, 4 / 3.0), report.Models[0].Scores.EmptyTexts);
        Assert.Equal(new InventionComparison(1, 2, 1, MoreIn: 1, FewerIn: 0), report.Models[1].Comparison!.Inventions);
    }

    [Fact]
    public void Chunks_of_one_document_are_one_witness()
    {
        var answers = new List<EvaluationAnswer>();
        for (var position = 0; position < 12; position++)
        {
            answers.Add(Invented(ComparedWith.Base, position, 0, document: position % 2));
            answers.Add(Invented(ComparedWith.Self, position, 1, document: position % 2));
        }

        var report = Report([.. answers]);

        Assert.Equal(new InventionComparison(12, 12, 0, MoreIn: 2, FewerIn: 0), report.Models[1].Comparison!.Inventions);
        Assert.Equal(EvaluationVerdict.NoEvidence, report.Decision.Verdict);
    }

    [Fact]
    public void A_model_that_invents_in_six_more_documents_is_kept_back()
    {
        var report = Report(
        [
            .. Enumerable.Range(1, 6).SelectMany(i => (EvaluationAnswer[])[
                Invented(ComparedWith.Base, i, 0, new Guid(i, 0, 0, new byte[8])),
                Invented(ComparedWith.Self, i, 3, new Guid(i, 0, 0, new byte[8]))]),
        ]);

        Assert.Equal((EvaluationVerdict.Worse, false), (report.Decision.Verdict, report.Decision.GoesLive));
        Assert.StartsWith(
            "it invents where nothing is to be found: more than before in 6 documents, fewer in 0; ", report.Decision.Reason,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Without_such_texts_nothing_is_said_of_them()
    {
        var report = Report([.. Answers(ComparedWith.Base, 1), .. Answers(ComparedWith.Self, 2)]);

        Assert.Null(report.Models[0].Scores.EmptyTexts);
        Assert.Null(report.Models[1].Comparison!.Inventions);
        Assert.DoesNotContain("invented", report.Decision.Reason, StringComparison.Ordinal);
    }

    /// <param name="found">Entities of an answer to a text without any; null: it cannot be read.</param>
    private static EvaluationAnswer Invented(string role, int position, int? found, int? document = null) =>
        Invented(role, position, found, Documents[document ?? position]);

    private static EvaluationAnswer Invented(string role, int position, int? found, Guid document) => new(
        role, position,
        ExtractionScorer.Score(
            document, "It rained all day.", ScoredContent.Empty,
            found is { } count
                ? new([.. Enumerable.Range(0, count).Select(i => new ScoredEntity("Person", $"Nobody {i}"))], [])
                : null),
        Problem: null, 1, 1, 1, 0);

    private static EvaluationReport Report(EvaluationAnswer[] answers, bool isOutOfTime = false) => EvaluationReport.Of(
        [Subject(ComparedWith.Self), Subject(ComparedWith.Base)], answers, isOutOfTime, Policy);

    private static EvaluationSubject Subject(string role) => new(role, null, null, "gemini", null, null);

    /// <param name="found">Of two entities in each chunk.</param>
    private static EvaluationAnswer[] Answers(string role, int found) =>
        [.. Enumerable.Range(0, Documents.Length).Select(position => Answer(role, position, found))];

    private static EvaluationAnswer Answer(string role, int position, int found) => new(
        role, position,
        ExtractionScorer.Score(
            Documents[position], "Ada knows Bob.", new([new("Person", "Ada"), new("Person", "Bob")], []),
            new([.. new ScoredEntity[] { new("Person", "Ada"), new("Person", "Bob") }.Take(found)], [])),
        Problem: null, 1, 1, 1, 0);

    private static EvaluationAnswer Unreadable(string role, int position) => new(
        role, position,
        ExtractionScorer.Score(
            Documents[position], "Ada knows Bob.", new([new("Person", "Ada"), new("Person", "Bob")], []), null),
        "it has not the form that was asked for", 1, 1, 1, 0);
}
