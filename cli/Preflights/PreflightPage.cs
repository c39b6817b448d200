using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using FeedbackLoop.Preflights;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace FeedbackLoop.Cli.Preflights;

/// <summary>What a start would find, for people.</summary>
internal static class PreflightPage
{
    private static readonly JsonWriterOptions Indented = new()
    {
        Indented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // braces of placeholders, for a terminal
    };

    public static IRenderable Of(PreflightReport report)
    {
        var facts = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn();
        foreach (var (name, value) in Facts(report))
        {
            facts.AddRow(new Text(name), new Text(value));
        }

        return report.Tuning is { } tuning
            ? new Rows(facts, Text.Empty, new Text("Request to Vertex AI:"), new Text(AsText(tuning.Request)))
            : facts;
    }

    private static IEnumerable<(string Name, string Value)> Facts(PreflightReport report)
    {
        yield return (
            "Checked", $"{report.CheckedAt.UtcDateTime.ToString("u", CultureInfo.InvariantCulture)}; nothing was started");
        yield return ("Result", report.WouldStart ? "would start" : "would be refused");
        foreach (var refusal in report.Refusals)
        {
            yield return ("Refused", refusal.Reason);
        }

        var counts = report.Counts;
        yield return ("Examples", string.Create(
            CultureInfo.InvariantCulture,
            $"{counts.Examples:N0} of {counts.Candidates:N0} extractions, {report.Minimum:N0} needed: {counts.TrainExamples:N0} "
            + $"train, {counts.ValidationExamples:N0} validation, {counts.TestExamples:N0} held out"));
        if (counts.EmptyTexts > 0)
        {
            yield return ("Among them", Invariant($"{counts.EmptyTexts:N0} texts with nothing to find"));
        }

        foreach (var (reason, count) in report.Excluded)
        {
            yield return ("Left out", Invariant($"{count:N0} {reason}"));
        }

        foreach (var (reason, count) in report.LeftOut.Where(each => each.Value > 0))
        {
            yield return ("In part", Invariant($"{count:N0} {reason}"));
        }

        foreach (var (name, file) in report.Files)
        {
            yield return ("File", Invariant($"{name}, {file.Examples:N0} examples, {file.Bytes:N0} bytes"));
        }

        foreach (var limit in report.Limits)
        {
            yield return ("Limit", Invariant($"{limit.Name}: {limit.Value:N0} of {limit.Limit:N0}"));
        }

        if (report.GeneralTraining is { } general)
        {
            yield return ("Note", general.InWords());
        }

        if (report.Tuning is not { } tuning)
        {
            yield break;
        }

        yield return ("Model", tuning.ParentModelId is { } parent
            ? $"on top of general model {parent}, version {tuning.ParentModelVersion}, of {tuning.BaseModel}, in {tuning.Region}"
            : $"{tuning.BaseModel} in {tuning.Region}");
        yield return ("Price", tuning.EstimatedUsd is null
            ? $"not known: {tuning.BaseModel} has no TrainingPrice in BaseModels:Models"
            : string.Create(
                CultureInfo.InvariantCulture,
                $"about {tuning.EstimatedUsd:0.00##} USD: {tuning.Tokens:N0} tokens, {tuning.Epochs} epochs"
                + $"{(tuning.AreEpochsAssumed ? " assumed" : "")}, {tuning.UsdPerMillionTokens:0.##} USD a million"));
        if (tuning.Approval is { } approval)
        {
            yield return ("Approval", $"it would wait for a person: {approval}");
        }

        yield return ("Month", Invariant($"{tuning.CommittedUsd:0.00##} USD committed")
            + (tuning.MonthlyLimitUsd is { } limitUsd ? Invariant($", of {limitUsd:0.00##} USD") : ", no limit"));
    }

    private static string AsText(JsonElement request)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text, Indented))
        {
            request.WriteTo(json);
        }

        return Encoding.UTF8.GetString(text.WrittenSpan);
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
