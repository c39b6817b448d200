using System.Globalization;
using System.Text;
using System.Text.Json;
using FeedbackLoop.Datasets;
using FeedbackLoop.Examples;
using FeedbackLoop.Extraction;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>A document of one chunk that no tuning job is given: two people, one of whom knows the other.</summary>
internal sealed class HeldOutExample
{
    private static readonly ExtractionPrompt Prompt = ExtractionPrompt.For(new([new("Person", "", [])], [new("KNOWS", "", [])]));

    private HeldOutExample(TrainingExample example)
    {
        Text = example.Text;
        var writer = new ExampleWriter();
        writer.Write(Prompt, example);
        Answer = Encoding.UTF8.GetString(writer.Answer.Span);
        Line = Encoding.UTF8.GetString(writer.Line.Span);
        Origin = new(
            Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), DocumentSplit.Test,
            ExampleOrigin.HashOf(Text, writer.Answer.Span));
    }

    public string Text { get; }

    /// <summary>The whole of what people verified.</summary>
    public string Answer { get; }

    public string Line { get; }

    public ExampleOrigin Origin { get; }

    public static HeldOutExample[] Documents(int count) =>
        [.. Enumerable.Range(1, count).Select(number => new HeldOutExample(new TrainingExample(
            string.Create(CultureInfo.InvariantCulture, $"Ada {number} knows Bob {number}."),
            [Entity($"Ada {number}"), Entity($"Bob {number}")],
            [new ExampleRelationship($"Ada {number}", $"Bob {number}", "KNOWS", null)])))];

    /// <summary>Documents in which nobody is to be found.</summary>
    public static HeldOutExample[] EmptyDocuments(int count) =>
        [.. Enumerable.Range(1, count).Select(number => new HeldOutExample(new TrainingExample(
            string.Create(CultureInfo.InvariantCulture, $"It rained on day {number}."), [], [])))];

    /// <summary>All that is to be found.</summary>
    public static string Whole(HeldOutExample document) => document.Answer;

    /// <summary>One of two people, and nobody knows anybody.</summary>
    public static string Half(HeldOutExample document)
    {
        using var answer = JsonDocument.Parse(document.Answer);
        return answer.RootElement.GetProperty("entities").EnumerateArray().FirstOrDefault() is { ValueKind: JsonValueKind.Object } one
            ? $$"""{"entities":[{{one.GetRawText()}}],"relationships":[]}"""
            : document.Answer;
    }

    private static ExampleEntity Entity(string name) =>
        new("Person", name, $"{name} is somebody of the text.", null, "{}"u8.ToArray());
}
