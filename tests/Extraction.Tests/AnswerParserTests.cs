using CsCheck;
using FeedbackLoop.Extraction;

namespace FeedbackLoop.Extract.Tests;

public sealed class AnswerParserTests
{
    private const string Entity = """{"type":"System","name":"Ada","description":"d","business_key":"A-1","properties":{"n":[1]}}""";

    [Fact]
    public void An_answer_in_the_form_of_the_prompt_is_read()
    {
        var content = Read(
            $$"""
            {"entities":[{{Entity}}],"relationships":[{"source_name":"Ada","target_name":"Bob","type":"USES","description":"d"}]}
            """);

        Assert.Equal(new AnsweredEntity("System", "Ada", "d", "A-1", """{"n":[1]}"""), Assert.Single(content.Entities));
        Assert.Equal(new AnsweredRelationship("Ada", "Bob", "USES", "d"), Assert.Single(content.Relationships));
    }

    [Fact]
    public void A_relationship_may_say_which_of_two_entities_of_one_name_it_means() => Assert.Equal(
        [new AnsweredRelationship("Ada", "Ada", "IS", null, "Person", "Language")],
        Read(
            """
            {"entities":[],"relationships":[
             {"source_name":"Ada","source_type":"Person","target_name":"Ada","target_type":"Language","type":"IS"}]}
            """).Relationships);

    [Fact]
    public void What_may_be_left_out_has_its_default()
    {
        var content = Read(
            """
            {"entities":[{"type":"T","name":"N"},{"type":"T","name":"M","description":null,"business_key":null,"properties":null}],
             "relationships":[{"source_name":"N","target_name":"M","type":"R"}]}
            """);

        Assert.Equal(
            [new AnsweredEntity("T", "N", "", null, "{}"), new AnsweredEntity("T", "M", "", null, "{}")], content.Entities);
        Assert.Null(Assert.Single(content.Relationships).Description);
    }

    [Fact]
    public void An_answer_may_find_nothing() => Assert.Empty(Read("""{"entities":[],"relationships":[]}""").Entities);

    [Theory]
    [InlineData("", "not one JSON value, at line 1, byte 1")]
    [InlineData("{\n  I found nothing.", "not one JSON value, at line 2, byte 3")]
    [InlineData("```json\n{\"entities\":[],\"relationships\":[]}\n```", "not one JSON value")]
    [InlineData("""{"entities":[],"relationships":[]} {}""", "not one JSON value")]
    [InlineData("""{"entities":[],"relationships":[""", "not one JSON value")]
    [InlineData("""{"entities":[],"entities":[],"relationships":[]}""", "not one JSON value")]
    [InlineData("[]", "the answer must be an object, and is an array")]
    [InlineData("null", "the answer must be an object, and is null")]
    [InlineData("""{"entities":[]}""", "the answer must have the array 'relationships'")]
    [InlineData("""{"entities":{},"relationships":[]}""", "the answer must have the array 'entities'")]
    [InlineData("""{"entities":[],"relationships":[],"notes":""}""", "the answer has an unknown member; it may have entities, relationships")]
    [InlineData("""{"entities":[],"relationships":[],"a\u0000":""}""", "the answer has a member whose name holds U+0000")]
    [InlineData("""{"entities":[{"\ud800":1}],"relationships":[]}""", "the name of a member holds half of a surrogate pair")]
    [InlineData("""{"entities":["Ada"],"relationships":[]}""", "entities[0] must be an object, and is a text")]
    [InlineData("""{"entities":[{"type":"T"}],"relationships":[]}""", "entities[0].name must be a text that is not empty")]
    [InlineData("""{"entities":[{"type":" ","name":"N"}],"relationships":[]}""", "entities[0].type must be a text that is not empty")]
    [InlineData("""{"entities":[{"type":"T","name":7}],"relationships":[]}""", "entities[0].name must be a text that is not empty")]
    [InlineData(
        """{"entities":[{"type":"T","name":"N","description":7}],"relationships":[]}""",
        "entities[0].description must be a text or null, and is a number")]
    [InlineData(
        """{"entities":[{"type":"T","name":"N","properties":[]}],"relationships":[]}""",
        "entities[0].properties must be an object, and is an array")]
    [InlineData("""{"entities":[{"type":"T","name":"\ud800"}],"relationships":[]}""", "entities[0].name holds half of a surrogate pair")]
    [InlineData("""{"entities":[{"type":"T","name":"a\u0000b"}],"relationships":[]}""", "entities[0].name holds U+0000")]
    [InlineData(
        """{"entities":[{"type":"T","name":"N","properties":{"a":[{"b":"\u0000"}]}}],"relationships":[]}""",
        "entities[0].properties holds U+0000")]
    [InlineData(
        """{"entities":[{"type":"T","name":"N","properties":{"a\u0000":1}}],"relationships":[]}""",
        "entities[0].properties has a member whose name holds U+0000")]
    [InlineData(
        """{"entities":[{"type":"T","name":"N","properties":{"a":1e999}}],"relationships":[]}""",
        "entities[0].properties holds a number out of range")]
    [InlineData(
        """{"entities":[],"relationships":[{"source_name":"A","target_name":"B"}]}""",
        "relationships[0].type must be a text that is not empty")]
    public void What_has_another_form_is_refused_with_the_place(string text, string problem)
    {
        Assert.False(AnswerParser.TryParse(text, out _, out var found));
        Assert.StartsWith(problem, found, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("CANARY")]
    [InlineData("CANARY: nothing was found.")]
    [InlineData("""{"CANARY":1}""")]
    [InlineData("""{"entities":[],"relationships":[],"CANARY":1}""")]
    [InlineData("""{"entities":[],"relationships":[],"CANARY":1,"CANARY":2}""")]
    [InlineData("""{"entities":[],"relationships":[],"x":tCANARY}""")]
    [InlineData("""{"entities":[],"relationships":[],"x":nCANARY}""")]
    [InlineData("""{"entities":[],"relationships":[],"x":"\CANARY"}""")]
    [InlineData("""{"entities":[],"relationships":[]} CANARY""")]
    [InlineData("""{"entities":[{"type":"T","name":"N","CANARY":1}],"relationships":[]}""")]
    [InlineData("""{"entities":[{"type":"T","name":"CANARY\u0000"}],"relationships":[]}""")]
    [InlineData("""{"entities":[{"type":"CANARY\ud800","name":"N"}],"relationships":[]}""")]
    [InlineData("""{"entities":[{"type":"T","name":"N","properties":{"CANARY":"\u0000"}}],"relationships":[]}""")]
    [InlineData("""{"entities":[{"type":"T","name":"N","properties":{"CANARY\u0000":1}}],"relationships":[]}""")]
    [InlineData("""{"entities":[{"type":"T","name":"N","properties":{"CANARY":1e999}}],"relationships":[]}""")]
    [InlineData("""{"entities":["CANARY"],"relationships":[]}""")]
    [InlineData("""{"entities":"CANARY","relationships":[]}""")]
    [InlineData("""{"entities":[],"relationships":[{"source_name":"CANARY","target_name":"CANARY","CANARY":1}]}""")]
    public void A_problem_quotes_nothing_of_the_answer(string text)
    {
        Assert.False(AnswerParser.TryParse(text, out _, out var problem));
        Assert.DoesNotContain("CANARY", problem, StringComparison.OrdinalIgnoreCase);
        Assert.InRange(problem.Length, 10, 200);
    }

    [Fact]
    public void Nor_does_it_where_an_answer_is_cut_or_changed_anywhere()
    {
        var whole = """{"entities":[{"type":"Canary","name":"Canary","properties":{"Canary":[1,true]}}],"relationships":[]}""";
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Int[1, 10], Gen.Char["\"{}[]:,\\tn0 a\u0001"]).Sample((place, length, character) =>
        {
            var text = whole[..place] + character + whole[Math.Min(whole.Length, place + length)..];
            return AnswerParser.TryParse(text, out _, out var problem)
                || !(problem.Contains("anar", StringComparison.Ordinal) || problem.Contains("Can", StringComparison.Ordinal));
        });
    }

    [Fact]
    public void Whatever_comes_is_read_or_refused() =>
        Gen.Char.Array[0, 200].Select(chars => new string(chars)).Sample(
            text => AnswerParser.TryParse(text, out _, out var problem) || problem is not "", iter: 2_000);

    [Fact]
    public void Whatever_an_answer_is_mutated_to_is_read_or_refused()
    {
        var whole = $$"""{"entities":[{{Entity}}],"relationships":[]}""";
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Char["\"{}[]:,\\u0 a\u0001"]).Array[1, 4].Sample(
            changes =>
            {
                var text = whole.ToCharArray();
                foreach (var (place, character) in changes)
                {
                    text[place] = character;
                }

                return AnswerParser.TryParse(new string(text), out _, out var problem) || problem is not "";
            },
            iter: 5_000);
    }

    private static AnsweredContent Read(string text)
    {
        Assert.True(AnswerParser.TryParse(text, out var content, out var problem), problem);
        return content;
    }
}
