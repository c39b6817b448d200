using FeedbackLoop.Examples;
using FeedbackLoop.Extraction;
using FeedbackLoop.Knowledge;

namespace FeedbackLoop.Datasets;

/// <summary>Counts of one export, kept while the examples pass by.</summary>
public sealed class DatasetStatistics
{
    /// <summary>
    /// Examples whose tokens are counted to learn how many bytes a token has. The first of a seeded shuffle are a random
    /// sample.
    /// </summary>
    private const int TokenSample = 64;

    private readonly SortedDictionary<string, int> _excluded = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> _entityTypes = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> _relationshipTypes = new(StringComparer.Ordinal);
    private readonly TokenCounter _tokens;
    private readonly double _tokenFactor;
    private readonly Dictionary<string, int> _contributors = new(StringComparer.Ordinal);
    private int _unattributed;
    private int _emptyTrain;
    private int _emptyValidation;
    private int _emptyTest;
    private int _sampled;
    private long _sampledBytes;
    private long _sampledTokens;
    private long _contentBytes;
    private long _trainContentBytes;
    private int _maxContentBytes;
    private long _characters;
    private int _maxCharacters;
    private int _maxEntities;
    private int _maxRelationships;

    public DatasetStatistics(TokenCounter tokens, double tokenFactor) => (_tokens, _tokenFactor) = (tokens, tokenFactor);

    /// <summary>Pairs of extraction and chunk that had a verified, rejected or undecided object.</summary>
    public int Candidates { get; private set; }

    public int TrainExamples { get; private set; }

    public int ValidationExamples { get; private set; }

    public int TestExamples { get; private set; }

    /// <summary>Of the examples, those whose text holds nothing.</summary>
    public EmptyTextCounts EmptyTexts => new(
        _emptyTrain, _emptyValidation, _emptyTest,
        TrainExamples + ValidationExamples == 0
            ? 0
            : Math.Round((double)(_emptyTrain + _emptyValidation) / (TrainExamples + ValidationExamples), 4));

    /// <summary>What one person may have of the train and validation examples; see <see cref="ContributorCounts.MaxShare"/>.</summary>
    public double? MaxContributorShare { get; set; }

    /// <summary>Whether the examples come with the people whose decisions they are.</summary>
    public bool IsAttributed { get; set; }

    /// <summary>Null where the examples come without people.</summary>
    public ContributorCounts? Contributors => !IsAttributed ? null : new(
        _contributors.Count,
        _contributors.Count == 0
            ? 0
            : Math.Round((double)_contributors.Values.Max() / (TrainExamples + ValidationExamples), 4),
        MaxContributorShare, _unattributed);

    public int Examples => TrainExamples + ValidationExamples + TestExamples;

    public long Entities { get; private set; }

    public long Relationships { get; private set; }

    public long NotMeaningful { get; private set; }

    public long OutsideExample { get; private set; }

    /// <summary>Objects and relationships of types that their project's prompt does not list.</summary>
    public long LeftOutType { get; private set; }

    /// <summary>Summed over the examples.</summary>
    public AnswerCounts Answers { get; private set; }

    /// <summary>Types of registries that equal another one but for case or white space.</summary>
    public long RepeatedTypes { get; private set; }

    /// <summary>Types of the projects that no prompt lists.</summary>
    public long UnlistedTypes { get; private set; }

    /// <summary>Types whose description or fields a prompt does not show as they are.</summary>
    public long ShortenedTypes { get; private set; }

    /// <summary>Verified objects for which no chunk can be named.</summary>
    public long WithoutChunk { get; private set; }

    public IReadOnlyDictionary<string, int> Excluded => _excluded;

    public IReadOnlyDictionary<string, int> EntityTypes => _entityTypes;

    public IReadOnlyDictionary<string, int> RelationshipTypes => _relationshipTypes;

    public DatasetCounts Counts => new(
        Candidates, Examples, TrainExamples, ValidationExamples, TestExamples, Entities, Relationships, EstimatedTrainTokens,
        Answers.NotInText, _emptyTrain + _emptyValidation + _emptyTest);

    /// <summary>Verified parts that did not go into an example, by reason.</summary>
    public IReadOnlyDictionary<string, long> LeftOut => new Dictionary<string, long>
    {
        ["not_meaningful"] = NotMeaningful,
        ["outside_example"] = OutsideExample,
        ["without_chunk"] = WithoutChunk,
        ["left_out_type"] = LeftOutType,
        ["repeated_entities"] = Answers.RepeatedEntities,
        ["repeated_relationships"] = Answers.RepeatedRelationships,
        ["relationships_to_itself"] = Answers.ToItself,
        ["ambiguous_relationships"] = Answers.Ambiguous,
        ["repeated_types"] = RepeatedTypes,
        ["unlisted_types"] = UnlistedTypes,
        ["shortened_types"] = ShortenedTypes,
    };

    public void AddTypes(ExtractionTypes types)
    {
        RepeatedTypes += types.Repeated;
        UnlistedTypes += types.UnlistedTypes;
        ShortenedTypes += types.ShortenedTypes;
    }

    public void AddCandidate(Candidate candidate)
    {
        Candidates++;
        if (candidate.Chunk is null)
        {
            WithoutChunk += candidate.Verified.Count;
        }
    }

    public void Exclude(string reason, int count = 1)
    {
        if (count > 0)
        {
            _excluded[reason] = _excluded.GetValueOrDefault(reason) + count;
        }
    }

    public void AddExample(ExampleLine line)
    {
        var (example, leftOut, side) = (line.Example, line.LeftOut, line.Origin.Split);
        _ = side switch
        {
            DocumentSplit.Train => TrainExamples++,
            DocumentSplit.Validation => ValidationExamples++,
            _ => TestExamples++,
        };
        if (example.IsEmpty)
        {
            _ = side switch
            {
                DocumentSplit.Train => _emptyTrain++,
                DocumentSplit.Validation => _emptyValidation++,
                _ => _emptyTest++,
            };
        }

        if (side != DocumentSplit.Test)
        {
            _ = line.Contributor is { } person
                ? _contributors[person] = _contributors.GetValueOrDefault(person) + 1
                : _unattributed++;
        }

        Entities += example.Entities.Count;
        Relationships += example.Relationships.Count;
        NotMeaningful += leftOut.NotMeaningful;
        OutsideExample += leftOut.OutsideExample;
        LeftOutType += leftOut.LeftOutType;
        Answers += leftOut.Answer;
        _characters += example.Text.Length;
        _contentBytes += line.ContentBytes;
        _trainContentBytes += side == DocumentSplit.Train ? line.ContentBytes : 0;
        _maxCharacters = Math.Max(_maxCharacters, example.Text.Length);
        _maxContentBytes = Math.Max(_maxContentBytes, line.ContentBytes);
        _maxEntities = Math.Max(_maxEntities, example.Entities.Count);
        _maxRelationships = Math.Max(_maxRelationships, example.Relationships.Count);
        foreach (var entity in example.Entities)
        {
            _entityTypes[entity.Type] = _entityTypes.GetValueOrDefault(entity.Type) + 1;
        }

        foreach (var relationship in example.Relationships)
        {
            _relationshipTypes[relationship.Type] = _relationshipTypes.GetValueOrDefault(relationship.Type) + 1;
        }

        if (_sampled < TokenSample)
        {
            _sampled++;
            _sampledBytes += line.Line.Length;
            _sampledTokens += _tokens.Count(line.Line.Span, _tokenFactor);
        }
    }

    /// <summary>Estimated Gemini tokens of <c>train.jsonl</c>, for one epoch.</summary>
    public long EstimatedTrainTokens => ToTokens(_trainContentBytes);

    public DatasetAverages Averages => new(
        Average(Entities), Average(Relationships), Average(_characters), Average(ToTokens(_contentBytes)));

    public DatasetMaxima Maxima => new(_maxEntities, _maxRelationships, _maxCharacters, ToTokens(_maxContentBytes));

    private double Average(long sum) => Examples == 0 ? 0 : Math.Round((double)sum / Examples, 2);

    private long ToTokens(long bytes) =>
        _sampledBytes == 0 ? 0 : (long)Math.Ceiling(bytes * ((double)_sampledTokens / _sampledBytes));
}

/// <param name="ChunkLength">UTF-16 characters.</param>
/// <param name="Tokens">Estimated from the bytes, by the ratio of a sample that was counted.</param>
public sealed record DatasetAverages(double Entities, double Relationships, double ChunkLength, double Tokens);

/// <param name="ChunkLength">UTF-16 characters.</param>
/// <param name="Tokens">Estimated like the average.</param>
public sealed record DatasetMaxima(int Entities, int Relationships, int ChunkLength, long Tokens);
