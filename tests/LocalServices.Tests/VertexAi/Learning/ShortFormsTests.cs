namespace FeedbackLoop.Local.VertexAi.Learning;

public sealed class ShortFormsTests
{
    private const string Text = "Willi Schneider won. Schneider smiled.";

    [Fact]
    public void A_short_form_is_dropped_where_reviewers_never_keep_one()
    {
        var kept = Filter(learnt: [new("person", "Willi Schneider", "")]);

        Assert.Equal([new Mention(0, 1, "person")], kept);
    }

    [Fact]
    public void A_short_form_stays_where_reviewers_keep_it()
    {
        var kept = Filter(learnt: [new("person", "Willi Schneider", ""), new("person", "Schneider", "")]);

        Assert.Equal(2, kept.Count);
    }

    private static IReadOnlyList<Mention> Filter(IReadOnlyList<ExtractedEntity> learnt)
    {
        var example = new LearningExample(Text, PromptTypes.Any, new Extraction(learnt, []));
        var forms = new ShortForms();
        forms.Learn([(Alignment.Of(example), example.Answer)]);
        return forms.Filter(new TextTokens(Text), [new(0, 1, "person"), new(4, 4, "person")]);
    }
}
