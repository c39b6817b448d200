using CsCheck;

namespace FeedbackLoop.Local.VertexAi.Learning;

public sealed class TuningLineTests
{
    [Fact]
    public void A_written_line_is_read_back()
    {
        var (text, answer) = StaffNotes.Write(1, seed: 1)[0];

        var (line, problem) = TuningLine.Parse(StaffNotes.Line(text, answer));

        Assert.Null(problem);
        Assert.Equal((StaffNotes.System, StaffNotes.User(text), 2), (line!.System, line.User, line.Messages));
        var read = ExtractionText.Read(line.Model)!;
        Assert.Equal(answer.Entities, read.Entities);
        Assert.Equal(answer.Relationships, read.Relationships);
    }

    [Theory]
    [InlineData("""{"contents":[{"role":"user","parts":[{"text":"\ud800"}]}]}""")]
    [InlineData("""{"contents":[7]}""")]
    [InlineData("""{"contents":[{"role":"user","parts":[{"text":"x"}]},{"role":"tool","parts":[{"text":"x"}]}]}""")]
    [InlineData("""{"contents":[{"role":"user","parts":[]}]}""")]
    [InlineData("""{"systemInstruction":7,"contents":[{"role":"user","parts":[{"text":"x"}]}]}""")]
    [InlineData("[]")]
    [InlineData("")]
    public void A_wrong_line_has_a_problem(string json) => Assert.NotNull(TuningLine.Parse(json).Problem);

    [Fact]
    public void Any_text_is_a_line_or_has_a_problem() =>
        Gen.String.Sample(text => TuningLine.Parse(text) is var (line, problem) && (line is null) != (problem is null));

    [Theory]
    [InlineData("no json"), InlineData("[]"), InlineData("7")]
    public void An_answer_that_is_no_extraction_is_not_learnt_from(string text) =>
        Assert.Null(ExtractionText.Read(text));

    [Fact]
    public void Items_that_miss_a_name_are_left_out()
    {
        var read = ExtractionText.Read("""{"entities":[{"type":"a"},{"type":"a","name":"b"},7],"relationships":{}}""")!;

        Assert.Equal([new("a", "b", "")], read.Entities);
        Assert.Empty(read.Relationships);
    }
}
