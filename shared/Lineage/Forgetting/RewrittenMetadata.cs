using FeedbackLoop.Datasets;
using FeedbackLoop.Examples;

namespace FeedbackLoop.Lineage.Forgetting;

/// <summary>What <c>metadata.json</c> says after files have lost lines: the old figures without what went.</summary>
/// <remarks>
/// Maxima, the averages of tokens, and names that do not stand in their text are those of the export: what they would
/// be without the lines, only an export of everything could tell.
/// </remarks>
internal static class RewrittenMetadata
{
    public static DatasetMetadata Of(DatasetMetadata before, IReadOnlyCollection<RewrittenFile> files)
    {
        var removed = files.Sum(file => file.Removed.Examples);
        var examples = before.Counts.Examples - removed;
        var entities = files.Sum(file => file.Removed.EntityTypes.Values.Sum());
        var relationships = files.Sum(file => file.Removed.RelationshipTypes.Values.Sum());
        var counts = before.Counts with
        {
            Examples = examples,
            TrainExamples = before.Counts.TrainExamples - RemovedOf(files, DatasetFiles.Train),
            ValidationExamples = before.Counts.ValidationExamples - RemovedOf(files, DatasetFiles.Validation),
            TestExamples = before.Counts.TestExamples - RemovedOf(files, DatasetFiles.Test),
            Entities = before.Counts.Entities - entities,
            Relationships = before.Counts.Relationships - relationships,
            EstimatedTrainTokens = TokensOf(before.Counts.EstimatedTrainTokens, files),
            EmptyTexts = before.Counts.EmptyTexts - files.Sum(file => file.Removed.Empty),
        };
        var averages = before.Averages;
        return before with
        {
            Files = FilesOf(before, files),
            Counts = counts,
            EntityTypes = Without(before.EntityTypes, files.SelectMany(file => file.Removed.EntityTypes)),
            RelationshipTypes = Without(before.RelationshipTypes, files.SelectMany(file => file.Removed.RelationshipTypes)),
            Averages = averages with
            {
                Entities = Average(averages.Entities, before.Counts.Examples, entities, examples),
                Relationships = Average(averages.Relationships, before.Counts.Examples, relationships, examples),
                ChunkLength = Average(
                    averages.ChunkLength, before.Counts.Examples, files.Sum(file => file.Removed.Characters), examples),
            },
            Excluded = WithForgotten(before.Excluded, removed),
            EmptyTexts = before.EmptyTexts is { } empty ? Without(empty, counts, files) : null,
        };
    }

    /// <summary>Of train.jsonl, by its bytes.</summary>
    public static long TokensOf(long before, IEnumerable<RewrittenFile> files) =>
        files.FirstOrDefault(file => file.File == DatasetFiles.Train) is { BytesBefore: > 0 } train
            ? (long)Math.Ceiling(before * ((double)train.Stored.Bytes / train.BytesBefore))
            : before;

    private static int RemovedOf(IEnumerable<RewrittenFile> files, string name) =>
        files.Where(file => file.File == name).Sum(file => file.Removed.Examples);

    private static Dictionary<string, DatasetFileInfo> FilesOf(
        DatasetMetadata before, IReadOnlyCollection<RewrittenFile> files)
    {
        var all = new Dictionary<string, DatasetFileInfo>(before.Files);
        foreach (var file in files)
        {
            // Only the file that trains stays when it is empty, as in the dataset's row.
            if (file.Examples == 0 && file.File != DatasetFiles.Train)
            {
                all.Remove(file.File);
            }
            else
            {
                all[file.File] = new(file.Examples, file.Stored.Bytes, file.Stored.Sha256);
            }
        }

        return all;
    }

    private static EmptyTextCounts Without(
        EmptyTextCounts before, DatasetCounts counts, IReadOnlyCollection<RewrittenFile> files)
    {
        var (train, validation) = (before.Train - EmptyOf(DatasetFiles.Train), before.Validation - EmptyOf(DatasetFiles.Validation));
        var learnt = counts.TrainExamples + counts.ValidationExamples;
        return new(
            train, validation, before.Test - EmptyOf(DatasetFiles.Test),
            learnt == 0 ? 0 : Math.Round((double)(train + validation) / learnt, 4));

        int EmptyOf(string name) => files.Where(file => file.File == name).Sum(file => file.Removed.Empty);
    }

    private static SortedDictionary<string, int> Without(
        IReadOnlyDictionary<string, int> before, IEnumerable<KeyValuePair<string, int>> removed)
    {
        var rest = new SortedDictionary<string, int>(before.ToDictionary(), StringComparer.Ordinal);
        foreach (var (type, count) in removed)
        {
            if (rest.TryGetValue(type, out var there) && there > count)
            {
                rest[type] = there - count;
            }
            else
            {
                rest.Remove(type);
            }
        }

        return rest;
    }

    private static SortedDictionary<string, int> WithForgotten(IReadOnlyDictionary<string, int> before, int removed) =>
        new(before.ToDictionary(), StringComparer.Ordinal)
        {
            [ExclusionReason.Forgotten] = before.GetValueOrDefault(ExclusionReason.Forgotten) + removed,
        };

    private static double Average(double before, int examplesBefore, long removed, int examples) =>
        examples == 0 ? 0 : Math.Round(((before * examplesBefore) - removed) / examples, 2);
}
