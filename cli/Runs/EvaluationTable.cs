using System.Globalization;
using FeedbackLoop.Evaluation;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace FeedbackLoop.Cli.Runs;

/// <summary>The models of an evaluation side by side, for people.</summary>
internal static class EvaluationTable
{
    public static IRenderable Of(IReadOnlyList<EvaluatedModel> models)
    {
        var table = CommandOutput.Table(
            "EVALUATED", "CHUNKS", "PRECISION", "RECALL", "ENTITY F1", "RELATION F1", "READABLE", "IN TEXT",
            "NEW MODEL IS BETTER BY");
        foreach (var model in models)
        {
            table.AddRow(
            [
                new Text(Name(model), model.IsReference ? new Style(decoration: Decoration.Bold) : Style.Plain),
                .. Figures(model).Select(figure => new Text(figure)),
            ]);
        }

        // Below the table, which is as wide as a terminal already.
        return new Rows([table, .. models.Select(Inventions).OfType<string>().Select(line => new Text(line))]);
    }

    private static string? Inventions(EvaluatedModel model) => model.Scores?.EmptyTexts is { } empty
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"{Name(model)}: {empty.InventedEntities:N0} {(empty.InventedEntities == 1 ? "entity" : "entities")} invented in "
            + $"{empty.Texts:N0} {(empty.Texts == 1 ? "text" : "texts")} with nothing to find.")
        : null;

    private static IEnumerable<string> Figures(EvaluatedModel model) => model switch
    {
        { Subject.Problem: { } problem, Scores: null } => [Count(model.Answers), "–", "–", "–", "–", "–", "–", problem],
        { Scores: { } scores } =>
        [
            Count(scores.Chunks), Part(scores.Entities.Precision), Part(scores.Entities.Recall), Part(scores.Entities.F1),
            Part(scores.TypedRelationships.F1), Part(scores.ValidRate), Part(scores.GroundingRate),
            model.Comparison?.Entities is { } difference ? Interval(difference) : "",
        ],
        _ => [Count(model.Answers), "–", "–", "–", "–", "–", "–", ""],
    };

    private static string Name(EvaluatedModel model) => model.Subject switch
    {
        { Role: ComparedWith.Self, Version: { } version } => $"new, version {version}",
        { Role: ComparedWith.Live, Version: { } version } => $"in use, version {version}",
        { Role: ComparedWith.Best, Version: { } version } => $"best so far, version {version}",
        { Role: ComparedWith.General, Version: { } version } => $"general, version {version}",
        var subject => subject.BaseModel,
    };

    private static string Interval(DifferenceInterval difference) => string.Create(
        CultureInfo.InvariantCulture,
        $"{difference.Difference:+0.000;−0.000;0.000} ({difference.Low:+0.000;−0.000;0.000} to {difference.High:+0.000;−0.000;0.000})");

    private static string Count(int count) => string.Create(CultureInfo.InvariantCulture, $"{count:N0}");

    private static string Part(double? share) =>
        share is { } value ? string.Create(CultureInfo.InvariantCulture, $"{value:0.000}") : "–";
}
