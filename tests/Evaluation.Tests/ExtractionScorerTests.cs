using CsCheck;

namespace FeedbackLoop.Evaluation.Tests;

public sealed class ExtractionScorerTests
{
    private const string Text = "Ada Lovelace wrote for the Analytical Engine of Charles Babbage.";

    private static readonly ScoredContent Verified = new(
        [new("Person", "Ada Lovelace"), new("Person", "Charles Babbage"), new("Machine", "Analytical Engine")],
        [new("Ada Lovelace", "WROTE_FOR", "Analytical Engine"), new("Charles Babbage", "MADE", "Analytical Engine")]);

    [Fact]
    public void The_verified_content_itself_has_every_score()
    {
        var score = Score(Verified);

        Assert.Equal(
            (new Counts(3, 3, 3), new Counts(2, 2, 2), new Counts(2, 2, 2), 3, 3),
            (score.Entities, score.Relationships, score.TypedRelationships, score.Names, score.GroundedNames));
        Assert.Equal((1, 1, 1), (score.Entities.Precision, score.Entities.Recall, score.Entities.F1));
    }

    [Fact]
    public void A_name_of_another_type_is_wrong_in_both_types()
    {
        var score = Score(new([new("Person", "ada lovelace"), new("Person", "Analytical Engine")], []));

        Assert.Equal(new Counts(1, 2, 2), score.ByType["person"]);
        Assert.Equal(new Counts(0, 0, 1), score.ByType["machine"]);
        Assert.Equal(new Counts(1, 2, 3), score.Entities);
    }

    [Fact]
    public void A_relationship_between_entities_of_other_types_counts_by_its_names_alone()
    {
        var score = Score(new(
            [new("Person", "Ada Lovelace"), new("Book", "Analytical Engine")],
            [new("Ada Lovelace", "wrote_for ", "Analytical Engine")]));

        Assert.Equal((new Counts(1, 1, 2), new Counts(0, 1, 2)), (score.Relationships, score.TypedRelationships));
    }

    [Fact]
    public void Where_a_name_has_two_types_only_a_relationship_that_says_which_is_right_with_its_types()
    {
        ScoredEntity[] entities = [new("Planet", "Mercury"), new("Metal", "Mercury"), new("Star", "Sun")];
        ScoredContent verified = new(entities, [new("Mercury", "ORBITS", "Sun", SourceType: "Planet")]);

        int Right(ScoredRelationship answered) =>
            ExtractionScorer.Score(Guid.Empty, Text, verified, new(entities, [answered])).TypedRelationships.Correct;

        Assert.Equal(1, Right(new("mercury", "orbits", "Sun", SourceType: "planet")));
        Assert.Equal(1, Right(new("Mercury", "ORBITS", "Sun", "Planet", "Star")));
        Assert.Equal(0, Right(new("Mercury", "ORBITS", "Sun", SourceType: "Metal")));
        Assert.Equal(0, Right(new("Mercury", "ORBITS", "Sun")));
    }

    [Fact]
    public void A_name_inside_a_word_is_not_grounded() => Assert.Equal(
        (2, 1), (ExtractionScorer.Score(
            Guid.Empty, "The enterprise maintains its brochure.", Verified, new([new("T", "ERP"), new("T", "Enterprise")], []))
            is var score ? (score.Names, score.GroundedNames) : default));

    [Fact]
    public void A_relationship_the_other_way_round_is_another_one() => Assert.Equal(
        0, Score(new(Verified.Entities, [new("Analytical Engine", "WROTE_FOR", "Ada Lovelace")])).Relationships.Correct);

    [Fact]
    public void What_is_said_twice_counts_once()
    {
        var score = Score(new([new("Person", "Ada Lovelace"), new("PERSON", "ada  lovelace")], []));

        Assert.Equal((new Counts(1, 1, 3), 1), (score.Entities, score.Names));
    }

    [Fact]
    public void An_answer_that_cannot_be_read_has_found_nothing()
    {
        var score = Score(null);

        Assert.False(score.IsValid);
        Assert.Equal((new Counts(0, 0, 3), new Counts(0, 0, 2)), (score.Entities, score.Relationships));
    }

    [Fact]
    public void A_name_that_the_text_does_not_have_is_not_grounded()
    {
        var score = Score(new([new("Person", "Ada Lovelace"), new("Person", "Alan Turing")], []));

        Assert.Equal((2, 1), (score.Names, score.GroundedNames));
    }

    [Fact]
    public void Sums_are_micro_and_means_are_macro()
    {
        var scores = EvaluationScores.Of(
        [
            Score(new([new("Person", "Ada Lovelace"), new("Person", "Charles Babbage"), new("Place", "London")], [])),
            Score(null),
        ]);

        // Person 2 of 2 answered, 4 to find; Machine 0 of 0, 2; Place 0 of 1, 0.
        Assert.Equal((2, 3, 6), (scores.Entities.Correct, scores.Entities.Answered, scores.Entities.Expected));
        Assert.Equal(2 * 2 / 9.0, scores.Entities.F1!.Value, 12);
        Assert.Equal((2 * 2 / 6.0 + 0 + 0) / 3, scores.EntitiesMacroF1!.Value, 12);
        Assert.Equal((0.5, 2 / 3.0), (scores.ValidRate, scores.GroundingRate));
    }

    [Fact]
    public void Names_of_all_chunks_count_for_the_share_that_the_text_has()
    {
        var scores = EvaluationScores.Of(
        [
            Score(new([new("Person", "Ada Lovelace"), new("Person", "Alan Turing")], [])),
            Score(new([new("Person", "Charles Babbage")], [])),
        ]);

        Assert.Equal(2 / 3.0, scores.GroundingRate);
    }

    [Fact]
    public void A_share_of_nothing_is_none()
    {
        Assert.Null(new Counts(0, 0, 3).Precision);
        Assert.Null(new Counts(0, 3, 0).Recall);
        Assert.Null(default(Counts).F1);
        Assert.Equal((0.0, 0.0), (new Counts(0, 0, 3).F1, new Counts(0, 3, 0).F1));
    }

    [Fact]
    public void Without_chunks_there_are_no_scores()
    {
        var scores = EvaluationScores.Of([]);

        Assert.Equal(
            ((double?)null, (double?)null, (double?)null, (double?)null),
            (scores.ValidRate, scores.Entities.F1, scores.EntitiesMacroF1, scores.GroundingRate));
    }

    [Fact]
    public void Whatever_is_answered_no_count_is_above_both_others()
    {
        var content = Gen.Select(
            Gen.Select(One("A", "b", "C"), One("x", "Y", "z ", "x_y"), (type, name) => new ScoredEntity(type, name))
                .Array[0, 8],
            Gen.Select(
                One("x", "Y", "z"), One("R", "s"), One("x", "Y", "z"),
                (source, type, target) => new ScoredRelationship(source, type, target)).Array[0, 6],
            (entities, relationships) => new ScoredContent(entities, relationships));
        Gen.Select(content, content).Sample((expected, answer) =>
        {
            var (score, same) = (ExtractionScorer.Score(Guid.Empty, "", expected, answer), ExtractionScorer.Score(Guid.Empty, "", expected, expected));
            var back = ExtractionScorer.Score(Guid.Empty, "", answer, expected);
            return new[] { score.Entities, score.Relationships, score.TypedRelationships }.All(
                    counts => counts.Correct <= Math.Min(counts.Answered, counts.Expected))
                && score.TypedRelationships.Correct <= score.Relationships.Correct
                && same.Entities.Correct == same.Entities.Expected
                && (back.Entities.Correct, back.Entities.Answered) == (score.Entities.Correct, score.Entities.Expected);
        });
    }

    private static Gen<string> One(params string[] of) => Gen.Int[0, of.Length - 1].Select(i => of[i]);

    private static ChunkScore Score(ScoredContent? answer) => ExtractionScorer.Score(Guid.Empty, Text, Verified, answer);
}
