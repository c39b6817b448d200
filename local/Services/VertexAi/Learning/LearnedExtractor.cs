namespace FeedbackLoop.Local.VertexAi.Learning;

/// <summary>An extractor that was tuned: it finds what the answers it has seen would have contained.</summary>
internal sealed class LearnedExtractor
{
    private const int Format = 1;
    private const int TaggerEpochs = 5;
    private const int RelationEpochs = 3;

    private readonly MentionTagger _tagger;
    private readonly RelationClassifier _relations;

    private LearnedExtractor(MentionTagger tagger, RelationClassifier relations) =>
        (_tagger, _relations) = (tagger, relations);

    /// <param name="parent">What to start from; it is not changed.</param>
    public static LearnedExtractor Learn(
        IReadOnlyList<LearningExample> examples, LearnedExtractor? parent, CancellationToken cancellationToken)
    {
        var (tagger, relations) = parent is null
            ? (new MentionTagger(), new RelationClassifier())
            : parent.Copy();

        var aligned = examples.Select(Alignment.Of).ToList();
        tagger.Learn(
            [.. aligned.Zip(examples, (where, each) => (where.Tokens, where.Mentions, where.Fragments, each.Types))],
            TaggerEpochs, cancellationToken);
        relations.Learn(
            [.. aligned.Zip(examples, (where, each) => (where, each.Answer))], RelationEpochs, cancellationToken);
        return new LearnedExtractor(tagger, relations);
    }

    public Extraction Extract(string document, PromptTypes types)
    {
        var tokens = new TextTokens(document);
        var mentions = _tagger.Find(tokens, types);
        var entities = mentions
            .GroupBy(mention => (Name: tokens.Span(mention.First, mention.Last), mention.Type))
            .Select(same => new ExtractedEntity(
                same.Key.Type, same.Key.Name, tokens.SentenceAround(same.First().First)))
            .ToList();
        return new Extraction(entities, [.. _relations.Find(tokens, mentions, types).Distinct()]);
    }

    public void Save(Stream stream)
    {
        using var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        writer.Write(Format);
        _tagger.Save(writer);
        _relations.Save(writer);
    }

    /// <exception cref="InvalidDataException">The file was written by another version.</exception>
    public static LearnedExtractor Load(Stream stream)
    {
        using var reader = new BinaryReader(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        return reader.ReadInt32() == Format
            ? new LearnedExtractor(MentionTagger.Load(reader), RelationClassifier.Load(reader))
            : throw new InvalidDataException("The learned model has an unknown format; tune it again.");
    }

    private (MentionTagger Tagger, RelationClassifier Relations) Copy()
    {
        using var copy = new MemoryStream();
        Save(copy);
        copy.Position = 0;
        var loaded = Load(copy);
        return (loaded._tagger, loaded._relations);
    }
}
