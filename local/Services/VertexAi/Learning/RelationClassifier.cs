namespace FeedbackLoop.Local.VertexAi.Learning;

/// <summary>Says of two mentions which relationship holds between them, if any.</summary>
internal sealed class RelationClassifier
{
    private const int None = 0;
    private readonly List<string> _types;
    private readonly Perceptron _weights;

    /// <summary>For each (source type, target type) the labels seen between them.</summary>
    private readonly Dictionary<(string, string), HashSet<int>> _seen;

    private int _reach;
    private float _threshold;

    public RelationClassifier()
        : this([], new Perceptron(), [], reach: 0, threshold: 0)
    {
    }

    private RelationClassifier(
        List<string> types, Perceptron weights, Dictionary<(string, string), HashSet<int>> seen, int reach,
        float threshold) => (_types, _weights, _seen, _reach, _threshold) = (types, weights, seen, reach, threshold);

    public void Learn(
        IReadOnlyList<(Alignment Where, Extraction Answer)> documents, int epochs, CancellationToken cancellationToken)
    {
        var types = documents.SelectMany(each => each.Answer.Relationships).Select(each => each.Type);
        foreach (var type in types.Distinct())
        {
            if (!_types.Contains(type))
            {
                _types.Add(type);
            }
        }

        var truths = documents.Select(each => Truth(each.Answer)).ToArray();
        Survey(documents, truths);
        if (_types.Count == 0)
        {
            return;
        }

        var prepared = documents.Zip(truths, (each, truth) => Prepare(each.Where, truth)).ToArray();
        new Random(2).Shuffle(prepared);

        // One part in seven stays unseen until the threshold is chosen on it: on what it has learnt from, a perceptron
        // is sure of everything.
        var held = prepared.Length / 7;
        LearnFrom(prepared.AsMemory(held), epochs, cancellationToken);
        _threshold = BestThreshold(prepared.AsSpan(0, held));
        LearnFrom(prepared.AsMemory(0, held), 1, cancellationToken);
    }

    public IEnumerable<ExtractedRelationship> Find(
        TextTokens tokens, IReadOnlyList<Mention> mentions, PromptTypes types)
    {
        var allowed = types.Relationships.Select(type => type.Name).ToHashSet();
        var scores = new float[_types.Count + 1];
        foreach (var pair in Candidates(tokens, mentions))
        {
            var features = pair.Features(tokens).Select(_weights.Known).ToArray();
            var (label, margin) = Best(features, _seen[pair.Types], scores);
            if (label == None || margin < _threshold)
            {
                continue;
            }

            var type = _types[label - 1];
            if (allowed.Count == 0 || allowed.Contains(type))
            {
                yield return new ExtractedRelationship(pair.SourceName, pair.TargetName, type);
            }
        }
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_types.Count);
        _types.ForEach(writer.Write);
        writer.Write(_reach);
        writer.Write(_threshold);
        writer.Write(_seen.Count);
        foreach (var ((source, target), labels) in _seen)
        {
            writer.Write(source);
            writer.Write(target);
            writer.Write(labels.Count);
            foreach (var label in labels)
            {
                writer.Write(label);
            }
        }

        _weights.Save(writer);
    }

    public static RelationClassifier Load(BinaryReader reader)
    {
        var types = Enumerable.Range(0, reader.ReadInt32()).Select(_ => reader.ReadString()).ToList();
        var reach = reader.ReadInt32();
        var threshold = reader.ReadSingle();
        var seen = new Dictionary<(string, string), HashSet<int>>();
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var pair = (reader.ReadString(), reader.ReadString());
            seen[pair] = Enumerable.Range(0, reader.ReadInt32()).Select(_ => reader.ReadInt32()).ToHashSet();
        }

        return new RelationClassifier(types, Perceptron.Load(reader), seen, reach, threshold);
    }

    private Dictionary<(string, string), HashSet<int>> Truth(Extraction answer) =>
        answer.Relationships
            .GroupBy(each => (each.Source, each.Target))
            .ToDictionary(same => same.Key, same => same.Select(each => _types.IndexOf(each.Type) + 1).ToHashSet());

    /// <summary>Learns which types are ever related, and how far apart nine in ten related mentions are.</summary>
    private void Survey(
        IReadOnlyList<(Alignment Where, Extraction Answer)> documents,
        Dictionary<(string, string), HashSet<int>>[] truths)
    {
        const int farthest = 150;
        var gaps = new List<int>();
        foreach (var ((where, _), truth) in documents.Zip(truths))
        {
            foreach (var pair in EntityPair.Within(where.Tokens, where.Mentions, farthest))
            {
                if (truth.TryGetValue(pair.Names, out var labels))
                {
                    gaps.Add(pair.Gap);
                    if (!_seen.TryGetValue(pair.Types, out var seen))
                    {
                        _seen.Add(pair.Types, seen = []);
                    }

                    seen.UnionWith(labels);
                }
            }
        }

        if (gaps.Count > 0)
        {
            gaps.Sort();
            _reach = Math.Max(_reach, gaps[gaps.Count * 9 / 10]);
        }
    }

    private Document Prepare(Alignment where, Dictionary<(string, string), HashSet<int>> truth)
    {
        var pairs = Candidates(where.Tokens, where.Mentions)
            .Select(pair => new Pair(
                [.. pair.Features(where.Tokens).Select(_weights.Learnable)],
                truth.GetValueOrDefault(pair.Names),
                _seen[pair.Types]))
            .ToArray();
        return new Document(pairs, truth.Values.Sum(labels => labels.Count));
    }

    private IEnumerable<EntityPair> Candidates(TextTokens tokens, IReadOnlyList<Mention> mentions) =>
        EntityPair.Within(tokens, mentions, _reach)
            .Where(pair => _seen.ContainsKey(pair.Types));

    private void LearnFrom(ReadOnlyMemory<Document> documents, int epochs, CancellationToken cancellationToken)
    {
        var scores = new float[_types.Count + 1];
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            foreach (var document in documents.Span)
            {
                cancellationToken.ThrowIfCancellationRequested();
                foreach (var pair in document.Pairs)
                {
                    LearnFrom(pair, scores);
                }
            }
        }

        _weights.Settle();
    }

    private void LearnFrom(Pair pair, float[] scores)
    {
        _weights.NextStep();
        var (guess, _) = Best(pair.Features, pair.Possible, scores);
        if (pair.Truth is null ? guess == None : pair.Truth.Contains(guess))
        {
            return;
        }

        var truth = pair.Truth is null ? None : pair.Truth.MaxBy(label => scores[label]);
        foreach (var feature in pair.Features)
        {
            _weights.Add(feature, truth, 1);
            _weights.Add(feature, guess, -1);
        }
    }

    /// <returns>The best label, and how far it lies above "none".</returns>
    private (int Label, float Margin) Best(int[] features, HashSet<int> possible, float[] scores)
    {
        Array.Clear(scores);
        foreach (var feature in features)
        {
            _weights.Score(feature, scores);
        }

        var best = None;
        foreach (var label in possible)
        {
            if (best == None || scores[label] > scores[best])
            {
                best = label;
            }
        }

        var margin = scores[best] - scores[None];
        return margin > 0 ? (best, margin) : (None, 0);
    }

    /// <summary>The threshold with the best F1 on documents that were not learnt from.</summary>
    private float BestThreshold(ReadOnlySpan<Document> documents)
    {
        var scores = new float[_types.Count + 1];
        var answers = new List<(float Margin, bool Right)>();
        var wanted = 0;
        foreach (var document in documents)
        {
            wanted += document.Wanted;
            foreach (var pair in document.Pairs)
            {
                var (label, margin) = Best(pair.Features, pair.Possible, scores);
                if (label != None)
                {
                    answers.Add((margin, pair.Truth?.Contains(label) == true));
                }
            }
        }

        var (best, threshold, right, given) = (0.0, 0f, 0, 0);
        foreach (var answer in answers.OrderByDescending(each => each.Margin))
        {
            given++;
            right += answer.Right ? 1 : 0;
            var f1 = 2.0 * right / (given + wanted);
            if (f1 > best)
            {
                (best, threshold) = (f1, answer.Margin);
            }
        }

        return threshold;
    }

    private sealed record Pair(int[] Features, HashSet<int>? Truth, HashSet<int> Possible);

    private sealed record Document(Pair[] Pairs, int Wanted);
}
