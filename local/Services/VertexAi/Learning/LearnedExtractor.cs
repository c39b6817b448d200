namespace FeedbackLoop.Local.VertexAi.Learning;

/// <summary>An extractor that was tuned: it finds what the answers it has seen would have contained.</summary>
internal sealed class LearnedExtractor
{
    private const int Format = 2;
    private const int TaggerEpochs = 5;

    // Fewer: what the parent knows fades with each.
    private const int TaggerEpochsOnTop = 3;
    private const int RelationEpochs = 3;

    private readonly MentionTagger _tagger;
    private readonly ShortForms _shortForms;
    private readonly RelationClassifier _relations;

    private LearnedExtractor(MentionTagger tagger, ShortForms shortForms, RelationClassifier relations) =>
        (_tagger, _shortForms, _relations) = (tagger, shortForms, relations);

    /// <param name="parent">What to start from; it is not changed.</param>
    public static LearnedExtractor Learn(
        IReadOnlyList<LearningExample> examples, LearnedExtractor? parent, CancellationToken cancellationToken)
    {
        var result = parent?.Copy() ?? new(new MentionTagger(), new ShortForms(), new RelationClassifier());
        var aligned = examples.Select(Alignment.Of).ToList();
        var answers = aligned.Zip(examples, (where, each) => (where, each.Answer)).ToList();
        result._shortForms.Learn(answers);

        // The two know nothing of each other, and a machine has more than one processor.
        Parallel.Invoke(
            new ParallelOptions { CancellationToken = cancellationToken },
            () => result._tagger.Learn(
                [.. aligned.Zip(examples, (where, each) => (where, each.Types))],
                parent is null ? TaggerEpochs : TaggerEpochsOnTop, cancellationToken),
            () => result._relations.Learn(answers, RelationEpochs, cancellationToken));

        // A copy leaves behind the many features that came to nothing.
        return result.Copy();
    }

    public Extraction Extract(string document, PromptTypes types)
    {
        var tokens = new TextTokens(document);
        var mentions = _shortForms.Filter(tokens, OneTypePerName(tokens, _tagger.Find(tokens, types)));
        var entities = mentions
            .DistinctBy(mention => tokens.Span(mention.First, mention.Last))
            .Select(mention => new ExtractedEntity(
                mention.Type, tokens.Span(mention.First, mention.Last), tokens.SentenceAround(mention.First)))
            .ToList();
        return new Extraction(entities, [.. _relations.Find(tokens, mentions, types).Distinct()]);
    }

    public void Save(Stream stream)
    {
        using var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        writer.Write(Format);
        _tagger.Save(writer);
        _shortForms.Save(writer);
        _relations.Save(writer);
    }

    /// <exception cref="InvalidDataException">The file was written by another version.</exception>
    public static LearnedExtractor Load(Stream stream)
    {
        using var reader = new BinaryReader(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        return reader.ReadInt32() == Format
            ? new LearnedExtractor(MentionTagger.Load(reader), ShortForms.Load(reader), RelationClassifier.Load(reader))
            : throw new InvalidDataException("The learned model has an unknown format; tune it again.");
    }

    /// <summary>Where a name was taken for several things, the most frequent one counts everywhere.</summary>
    private static List<Mention> OneTypePerName(TextTokens tokens, IReadOnlyList<Mention> mentions)
    {
        var types = mentions
            .GroupBy(mention => tokens.Span(mention.First, mention.Last))
            .ToDictionary(same => same.Key, same => same.GroupBy(each => each.Type).MaxBy(type => type.Count())!.Key);
        return [.. mentions.Select(each => each with { Type = types[tokens.Span(each.First, each.Last)] })];
    }

    private LearnedExtractor Copy()
    {
        using var copy = new MemoryStream();
        Save(copy);
        copy.Position = 0;
        return Load(copy);
    }
}
