using System.Globalization;
using FeedbackLoop.Lineage;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Cli.Commands.Lineage;

/// <summary>
/// Where a document went, for a terminal of 80 columns. Only addresses are longer: each has a line of its own, so that
/// it can be copied.
/// </summary>
internal static class LineagePage
{
    public static IEnumerable<string> Lines(LineageAnswer answer)
    {
        yield return $"{char.ToUpperInvariant(answer.Kind[0])}{answer.Kind[1..]} {answer.Id}";
        yield return $"  of {new Scope(answer.OrganizationId, answer.ProjectId)}"
            + (answer.IsDeleted ? ", deleted in the product" : "");
        IEnumerable<string>[] parts =
            [Forgetting(answer.Forgotten), Datasets(answer), Models(answer), Retraining(answer)];
        foreach (var line in parts.SelectMany(part => part))
        {
            yield return line;
        }
    }

    public static IEnumerable<string> Retraining(LineageAnswer answer)
    {
        if (answer.Retraining.Count > 0)
        {
            yield return "To train again what is tainted and in use, without it:";
        }

        foreach (var cost in answer.Retraining)
        {
            yield return $"  {new Scope(cost.OrganizationId, cost.ProjectId)}: "
                + (cost.EstimatedUsd is { } usd
                    ? string.Create(CultureInfo.InvariantCulture, $"about {usd:0.00} USD")
                    : "no price is known");
        }
    }

    private static IEnumerable<string> Forgetting(LineageForgetting? forgotten)
    {
        if (forgotten is null)
        {
            yield break;
        }

        yield return $"  forgotten since {At(forgotten.RequestedAt)}, "
            + (forgotten.CompletedAt is { } at ? $"complete since {At(at)}" : "not complete yet");
        if (forgotten.WaitsFor is { } wait)
        {
            yield return $"  waits: {wait}";
        }
    }

    private static IEnumerable<string> Datasets(LineageAnswer answer)
    {
        yield return Heading("Datasets with examples of it", answer.DatasetCount, answer.Elsewhere.Datasets);
        foreach (var dataset in answer.Datasets)
        {
            yield return $"  {At(dataset.SnapshotAt)}  {dataset.Purpose} {dataset.RunId}, {dataset.RunState}";
            yield return $"    of {new Scope(dataset.OrganizationId, dataset.ProjectId)}";
            foreach (var (uri, side, examples) in ((string?, string, int)[])
            [
                (dataset.TrainUri, "train", dataset.TrainExamples),
                (dataset.ValidationUri, "validation", dataset.ValidationExamples),
                (dataset.TestUri, "held out", dataset.TestExamples),
            ])
            {
                if (uri is not null)
                {
                    yield return $"    {Counted(examples, "example")} {(side == "held out" ? side : $"to {side}")}:";
                    yield return $"    {uri}";
                }
            }
        }

        if (answer.DatasetCount > answer.Datasets.Count)
        {
            yield return $"  … and {answer.DatasetCount - answer.Datasets.Count} more";
        }
    }

    private static IEnumerable<string> Models(LineageAnswer answer)
    {
        yield return Heading("Models that hold it", answer.ModelCount, answer.Elsewhere.Models);
        foreach (var model in answer.Models)
        {
            yield return $"  {model.Id}  version {model.Version}, {(model.IsInUse ? "in use" : model.Status)}";
            yield return $"    of {new Scope(model.OrganizationId, model.ProjectId)}";
            yield return model.IsDirect
                ? "    has learnt from it"
                : $"    on top of {model.ParentModelId}";
            if (model is { TaintedSince: { } since, TaintReason: { } reason })
            {
                yield return $"    tainted since {At(since)}:";
                yield return $"    {reason}";
            }
        }

        if (answer.ModelCount > answer.Models.Count)
        {
            yield return $"  … and {answer.ModelCount - answer.Models.Count} more";
        }
    }

    private static string Heading(string what, int count, int elsewhere) =>
        $"{what}: {count}" + (elsewhere > 0 ? $", and {elsewhere} elsewhere" : "");

    private static string Counted(int count, string noun) => $"{count} {noun}{(count == 1 ? "" : "s")}";

    private static string At(DateTimeOffset time) =>
        time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture);
}
