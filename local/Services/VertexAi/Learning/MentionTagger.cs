namespace FeedbackLoop.Local.VertexAi.Learning;

/// <summary>A span of tokens that the tagger takes for an entity.</summary>
/// <param name="Last">Inclusive.</param>
internal readonly record struct Mention(int First, int Last, string Type);

/// <summary>
/// Reads a document from left to right and says of each token whether it begins a mention of a type, continues one, or
/// is none. Learns from word forms, shapes, affixes, neighbours and its own last decision.
/// </summary>
internal sealed class MentionTagger
{
    /// <summary>A label of a token that must not be learnt from, whatever the tagger says about it.</summary>
    public const int Ignored = -1;

    private const int Outside = 0;
    private readonly List<string> _types;
    private readonly Perceptron _weights;

    public MentionTagger()
        : this([], new Perceptron())
    {
    }

    private MentionTagger(List<string> types, Perceptron weights) => (_types, _weights) = (types, weights);

    public IReadOnlyList<string> Types => _types;

    private int Labels => 1 + (2 * _types.Count);

    public void Learn(
        IReadOnlyList<(TextTokens Tokens, IReadOnlyList<Mention> Mentions, IReadOnlySet<int> Ignore, PromptTypes Types)> documents,
        int epochs, CancellationToken cancellationToken)
    {
        foreach (var type in documents.SelectMany(each => each.Mentions).Select(mention => mention.Type).Distinct())
        {
            if (!_types.Contains(type))
            {
                _types.Add(type);
            }
        }

        var prepared = documents.Select(document => (
            Features: Enumerable.Range(0, document.Tokens.Count)
                .Select(i => TokenFeatures.Of(document.Tokens, i).Select(_weights.Learnable).ToArray()).ToArray(),
            Labels: LabelsOf(document.Tokens.Count, document.Mentions, document.Ignore),
            Allowed: AllowedLabels(document.Types))).ToArray();

        var random = new Random(1);
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            random.Shuffle(prepared);
            foreach (var (features, labels, allowed) in prepared)
            {
                LearnFrom(features, labels, allowed);
            }
        }

        _weights.Settle();
    }

    public IReadOnlyList<Mention> Find(TextTokens tokens, PromptTypes types)
    {
        var allowed = AllowedLabels(types);
        var scores = new float[Labels];
        var mentions = new List<Mention>();
        var previous = Outside;
        var beforeThat = Outside;
        var begin = 0;
        for (var i = 0; i <= tokens.Count; i++)
        {
            var label = Outside;
            if (i < tokens.Count)
            {
                var features = TokenFeatures.Of(tokens, i).Select(_weights.Known).ToArray();
                label = Best(features, History(features, previous, beforeThat, _weights.Known), previous, allowed, scores);
            }

            if (previous != Outside && !IsContinuation(label))
            {
                mentions.Add(new Mention(begin, i - 1, TypeOf(previous)));
            }

            begin = IsContinuation(label) ? begin : i;
            (beforeThat, previous) = (previous, label);
        }

        return mentions;
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_types.Count);
        _types.ForEach(writer.Write);
        _weights.Save(writer);
    }

    public static MentionTagger Load(BinaryReader reader)
    {
        var types = Enumerable.Range(0, reader.ReadInt32()).Select(_ => reader.ReadString()).ToList();
        return new MentionTagger(types, Perceptron.Load(reader));
    }

    private void LearnFrom(int[][] features, int[] labels, bool[] allowed)
    {
        var scores = new float[Labels];
        var previous = Outside;
        var beforeThat = Outside;
        for (var i = 0; i < features.Length; i++)
        {
            var history = History(features[i], previous, beforeThat, _weights.Learnable);
            var guess = Best(features[i], history, previous, allowed, scores);
            var truth = labels[i];
            if (truth == Ignored)
            {
                (beforeThat, previous) = (previous, guess);
                continue;
            }

            _weights.NextStep();
            if (guess != truth)
            {
                foreach (var feature in features[i].Concat(history))
                {
                    _weights.Add(feature, truth, 1);
                    _weights.Add(feature, guess, -1);
                }
            }

            // The tagger's own last answer, not the right one: so it is when it must answer alone.
            (beforeThat, previous) = (previous, guess);
        }
    }

    private static int[] History(int[] features, int previous, int beforeThat, Func<ulong, int> number) =>
    [
        number(Feature.Of(90, previous)),
        number(Feature.Of(91, (previous * 1000) + beforeThat)),
        number(Feature.Combine(Feature.Of(92, previous), (ulong)features[0])),
        number(Feature.Combine(Feature.Of(93, previous), (ulong)features[1])),
    ];

    private int Best(int[] features, int[] history, int previous, bool[] allowed, float[] scores)
    {
        Array.Clear(scores);
        foreach (var feature in features)
        {
            _weights.Score(feature, scores);
        }

        foreach (var feature in history)
        {
            _weights.Score(feature, scores);
        }

        var best = Outside;
        for (var label = 1; label < scores.Length; label++)
        {
            if (scores[label] > scores[best] && allowed[label] && (!IsContinuation(label) || Continues(label, previous)))
            {
                best = label;
            }
        }

        return best;
    }

    private bool[] AllowedLabels(PromptTypes types)
    {
        var names = types.Entities.Select(type => type.Name).ToHashSet();
        var allowed = new bool[Labels];
        for (var label = 1; label < allowed.Length; label++)
        {
            allowed[label] = names.Count == 0 || names.Contains(TypeOf(label));
        }

        return allowed;
    }

    private int[] LabelsOf(int count, IReadOnlyList<Mention> mentions, IReadOnlySet<int> ignore)
    {
        var labels = new int[count];
        foreach (var token in ignore)
        {
            labels[token] = Ignored;
        }

        foreach (var mention in mentions)
        {
            var begin = 1 + (2 * _types.IndexOf(mention.Type));
            labels[mention.First] = begin;
            Array.Fill(labels, begin + 1, mention.First + 1, mention.Last - mention.First);
        }

        return labels;
    }

    private static bool IsContinuation(int label) => label > 0 && label % 2 == 0;

    private static bool Continues(int label, int previous) => previous == label || previous == label - 1;

    private string TypeOf(int label) => _types[(label - 1) / 2];
}
