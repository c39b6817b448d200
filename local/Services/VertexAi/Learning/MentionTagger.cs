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
    private const int Outside = 0;

    /// <summary>The label of a token that is not learnt from, whatever the tagger says about it.</summary>
    private const int Ignored = -1;

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
        IReadOnlyList<(Alignment Where, PromptTypes Types)> documents, int epochs, CancellationToken cancellationToken)
    {
        foreach (var type in documents.SelectMany(each => each.Where.Mentions).Select(each => each.Type).Distinct())
        {
            if (!_types.Contains(type))
            {
                _types.Add(type);
            }
        }

        var prepared = documents.Select(each => (
            Tokens: SeenToken.All(each.Where.Tokens, each.Types, _weights.Learnable),
            Labels: LabelsOf(each.Where),
            Allowed: AllowedLabels(each.Types))).ToArray();

        var random = new Random(1);
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            random.Shuffle(prepared);
            foreach (var (tokens, labels, allowed) in prepared)
            {
                LearnFrom(tokens, labels, allowed);
            }
        }

        _weights.Settle();
    }

    public IReadOnlyList<Mention> Find(TextTokens tokens, PromptTypes types)
    {
        var allowed = AllowedLabels(types);
        var scores = new float[Labels];
        var mentions = new List<Mention>();
        var history = new TagHistory();
        var begin = 0;
        var seen = SeenToken.All(tokens, types, _weights.Known);
        for (var i = 0; i <= seen.Length; i++)
        {
            var previous = history.Previous;
            var label = Outside;
            if (i < seen.Length)
            {
                label = Best(seen[i], history.Features(seen[i], _weights.Known), previous, allowed, scores);
                history.Add(label);
            }

            if (previous != Outside && !IsContinuation(label))
            {
                mentions.Add(new Mention(begin, i - 1, TypeOf(previous)));
            }

            begin = IsContinuation(label) ? begin : i;
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

    private void LearnFrom(SeenToken[] tokens, int[] labels, bool[] allowed)
    {
        var scores = new float[Labels];
        var history = new TagHistory();
        for (var i = 0; i < tokens.Length; i++)
        {
            var past = history.Features(tokens[i], _weights.Learnable);
            var guess = Best(tokens[i], past, history.Previous, allowed, scores);
            var truth = labels[i];
            if (truth != Ignored)
            {
                _weights.NextStep();
                if (guess != truth)
                {
                    foreach (var feature in tokens[i].Features.Concat(past))
                    {
                        _weights.Add(feature, truth, 1);
                        _weights.Add(feature, guess, -1);
                    }
                }
            }

            // The tagger's own answer, not the right one: so it is when it must answer alone.
            history.Add(guess);
        }
    }

    private int Best(SeenToken token, int[] past, int previous, bool[] allowed, float[] scores)
    {
        Array.Clear(scores);
        foreach (var feature in token.Features)
        {
            _weights.Score(feature, scores);
        }

        foreach (var feature in past)
        {
            _weights.Score(feature, scores);
        }

        var best = Outside;
        for (var label = 1; label < scores.Length; label++)
        {
            if (scores[label] > scores[best] && allowed[label]
                && (!IsContinuation(label) || Continues(label, previous)))
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

    private int[] LabelsOf(Alignment where)
    {
        var labels = new int[where.Tokens.Count];
        foreach (var token in where.Fragments)
        {
            labels[token] = Ignored;
        }

        foreach (var mention in where.Mentions)
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
