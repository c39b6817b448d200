namespace FeedbackLoop.Local.VertexAi.Learning;

public sealed class LearnedExtractorTests
{
    private static readonly PromptTypes Types = Prompt.Types(StaffNotes.System);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void What_the_answers_contain_is_found_in_new_documents()
    {
        var extractor = Learn(count: 100, seed: 1);

        var (entities, relationships) = F1(extractor, count: 50, seed: 2);
        Assert.True(entities > 0.95, $"entities {entities:F3}");
        Assert.True(relationships > 0.9, $"relationships {relationships:F3}");
    }

    [Fact]
    public void A_saved_extractor_finds_the_same_after_loading()
    {
        var extractor = Learn(count: 40, seed: 1);
        var loaded = SaveAndLoad(extractor);

        foreach (var (text, _) in StaffNotes.Write(50, seed: 2))
        {
            var (before, after) = (extractor.Extract(text, Types), loaded.Extract(text, Types));
            Assert.Equal(before.Entities, after.Entities);
            Assert.Equal(before.Relationships, after.Relationships);
        }
    }

    [Fact]
    public void The_same_examples_give_the_same_extractor()
    {
        Assert.Equal(Bytes(Learn(count: 30, seed: 1)), Bytes(Learn(count: 30, seed: 1)));
    }

    [Fact]
    public void Learning_on_top_does_not_change_the_parent()
    {
        var parent = Learn(count: 30, seed: 1);
        var before = Bytes(parent);

        LearnedExtractor.Learn(Examples(count: 30, seed: 5), parent, Cancel);

        Assert.Equal(before, Bytes(parent));
    }

    [Fact]
    public void Only_the_types_that_the_prompt_lists_are_found()
    {
        var extractor = Learn(count: 60, seed: 1);
        var onlySites = new PromptTypes([new("site", "")], [new("uses", "")]);

        foreach (var (text, _) in StaffNotes.Write(20, seed: 2))
        {
            var found = extractor.Extract(text, onlySites);
            Assert.All(found.Entities, entity => Assert.Equal("site", entity.Type));
            Assert.Empty(found.Relationships);
        }
    }

    [Fact]
    public void The_description_is_the_sentence_around_the_name()
    {
        var extractor = Learn(count: 60, seed: 1);

        var found = extractor.Extract("Rain fell. At Mill Lane the crane belongs to Ida Reed. It was late.", Types);

        Assert.All(
            found.Entities,
            entity => Assert.Equal("At Mill Lane the crane belongs to Ida Reed.", entity.Description));
        Assert.Contains("Ida Reed", found.Entities.Select(entity => entity.Name));
    }

    [Fact]
    public void Without_examples_nothing_is_found() =>
        Assert.Empty(LearnedExtractor.Learn([], null, Cancel).Extract("Ada Marsh came.", Types).Entities);

    [Fact]
    public void Learning_can_be_cancelled() =>
        Assert.ThrowsAny<OperationCanceledException>(
            () => LearnedExtractor.Learn(Examples(count: 5, seed: 1), null, new CancellationToken(canceled: true)));

    [Fact]
    public void A_file_of_another_format_is_refused()
    {
        using var stream = new MemoryStream(new byte[64]);

        Assert.Throws<InvalidDataException>(() => LearnedExtractor.Load(stream));
    }

    private static LearnedExtractor Learn(int count, int seed) =>
        LearnedExtractor.Learn(Examples(count, seed), null, Cancel);

    private static List<LearningExample> Examples(int count, int seed) =>
        [.. StaffNotes.Write(count, seed).Select(note => new LearningExample(note.Text, Types, note.Answer))];

    private static LearnedExtractor SaveAndLoad(LearnedExtractor extractor)
    {
        using var stream = new MemoryStream(Bytes(extractor));
        return LearnedExtractor.Load(stream);
    }

    private static byte[] Bytes(LearnedExtractor extractor)
    {
        using var stream = new MemoryStream();
        extractor.Save(stream);
        return stream.ToArray();
    }

    private static (double Entities, double Relationships) F1(LearnedExtractor extractor, int count, int seed)
    {
        var (right, given, wanted) = (new int[2], new int[2], new int[2]);
        foreach (var (text, answer) in StaffNotes.Write(count, seed))
        {
            var found = extractor.Extract(text, Types);
            Add(0, Names(found), Names(answer));
            Add(1, found.Relationships, answer.Relationships);
        }

        return (2.0 * right[0] / (given[0] + wanted[0]), 2.0 * right[1] / (given[1] + wanted[1]));

        static IEnumerable<(string, string)> Names(Extraction from) =>
            from.Entities.Select(each => (each.Type, each.Name));

        void Add<T>(int kind, IEnumerable<T> found, IEnumerable<T> truth)
        {
            var (one, other) = (found.ToHashSet(), truth.ToHashSet());
            right[kind] += one.Count(other.Contains);
            given[kind] += one.Count;
            wanted[kind] += other.Count;
        }
    }
}
