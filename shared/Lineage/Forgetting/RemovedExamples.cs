namespace FeedbackLoop.Lineage.Forgetting;

/// <summary>What went with the lines that a file has lost.</summary>
internal sealed class RemovedExamples
{
    private readonly Dictionary<string, int> _entityTypes = [];
    private readonly Dictionary<string, int> _relationshipTypes = [];

    public int Examples { get; private set; }

    /// <summary>Of the examples, those of which nobody could tell whose they are.</summary>
    public int Unreadable { get; private set; }

    /// <summary>Of the examples, those whose answer is that there is nothing to find.</summary>
    public int Empty { get; private set; }

    public long Characters { get; private set; }

    public IReadOnlyDictionary<string, int> EntityTypes => _entityTypes;

    public IReadOnlyDictionary<string, int> RelationshipTypes => _relationshipTypes;

    /// <param name="example">Null for a line that could not be read.</param>
    public void Add(StoredExample? example)
    {
        Examples++;
        if (example is null)
        {
            Unreadable++;
            return;
        }

        Empty += example.EntityTypes.Count == 0 ? 1 : 0;
        Characters += example.Characters;
        Count(_entityTypes, example.EntityTypes);
        Count(_relationshipTypes, example.RelationshipTypes);
    }

    private static void Count(Dictionary<string, int> counts, IReadOnlyList<string> types)
    {
        foreach (var type in types)
        {
            counts[type] = counts.GetValueOrDefault(type) + 1;
        }
    }
}
