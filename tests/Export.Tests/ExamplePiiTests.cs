using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using CsCheck;
using FeedbackLoop.Examples;
using FeedbackLoop.Pii;

namespace FeedbackLoop.Export.Tests;

/// <summary>Personal data in every place of an example.</summary>
public sealed partial class ExamplePiiTests
{
    private static readonly PiiScanner Scanner = new();

    [Theory]
    [InlineData("""{"jane.doe@example.com":"owner"}""")]
    [InlineData("""{"contacts":{"jane.doe@example.com":"owner"}}""")]
    [InlineData("""{"list":[{"jane.doe@example.com":true}]}""")]
    [InlineData("""{"phone":"2127365000"}""")]
    [InlineData("""{"phone":2127365000}""")]
    [InlineData("""{"phone":2127365000.0}""")]
    [InlineData("""{"phone":{"work":"2127365000"}}""")]
    [InlineData("""{"phone":{"2127365000":"work"}}""")]
    [InlineData("""{"phone":["2127365000"]}""")]
    [InlineData("""{"phones":[{"kind":"work","value":2127365000}]}""")]
    [InlineData("""{"ssn":"536221234"}""")]
    [InlineData("""{"ssn":536221234}""")]
    [InlineData("""{"ssn":36221234}""")]
    [InlineData("""{"mobile":9876543210}""")]
    [InlineData("""{"Phone No.":"2127365000"}""")]
    [InlineData("""{"card":3509123409824711}""")]
    [InlineData("""{"registry":"https://bot:secret@registry.example.com"}""")]
    public void Personal_data_is_found_in_members_and_beside_their_names(string properties)
    {
        var example = Example("The Desk.", Entity("Desk", properties));

        Assert.True(ExamplePii.IsIn(example, Scanner));
        AssertClean(ExamplePii.Redact(example, Scanner));
    }

    [Theory]
    [InlineData("""{"count":2127365000}""")]
    [InlineData("""{"phone":{"count":2127365000}}""")]
    [InlineData("""{"items":[{"phone":"none"},2127365000]}""")]
    [InlineData("""{"a":{"phone":"none"},"b":2127365000}""")]
    [InlineData("""{"version":"4.8.1.2","year":1998,"big":12345678901234567890}""")]
    public void A_number_under_another_name_is_a_number(string properties) =>
        Assert.False(ExamplePii.IsIn(Example("The Desk.", Entity("Desk", properties)), Scanner));

    [Fact]
    public void The_type_says_what_a_name_and_a_key_are()
    {
        Assert.True(ExamplePii.IsIn(Example("x", Entity("2127365000", type: "Phone")), Scanner));
        Assert.True(ExamplePii.IsIn(Example("x", Entity("x", type: "SSN", key: "536221234")), Scanner));
        Assert.False(ExamplePii.IsIn(Example("x", Entity("2127365000", type: "Order", key: "536221234")), Scanner));
    }

    [Fact]
    public void Two_people_stay_two_in_text_and_answer()
    {
        var example = Example(
            "jane.doe@example.com reports to john.roe@example.com in the desk.",
            Entity("jane.doe@example.com"), Entity("john.roe@example.com")) with
        {
            Relationships = [new("jane.doe@example.com", "john.roe@example.com", "REPORTS_TO", "since JANE.DOE@example.com left")],
        };

        var redacted = ExamplePii.Redact(example, Scanner);

        Assert.Equal("[EMAIL_1] reports to [EMAIL_2] in the desk.", redacted.Text);
        Assert.Equal(["[EMAIL_1]", "[EMAIL_2]"], redacted.Entities.Select(e => e.Name));
        Assert.Equal(
            [new ExampleRelationship("[EMAIL_1]", "[EMAIL_2]", "REPORTS_TO", "since [EMAIL_1] left")], redacted.Relationships);
    }

    [Fact]
    public void Numbers_follow_the_text_and_then_the_answer()
    {
        var example = Example(
            "Call +49 30 901820 or b@example.com.",
            Entity("a@example.com", """{"fax":"+49-30-901821","phone":"+49 (0)30 901820"}"""), Entity("b@example.com"));

        var redacted = ExamplePii.Redact(example, Scanner);

        Assert.Equal("Call [PHONE_1] or [EMAIL_1].", redacted.Text);
        Assert.Equal(["[EMAIL_2]", "[EMAIL_1]"], redacted.Entities.Select(e => e.Name));
        Assert.Equal("""{"fax":"[PHONE_2]","phone":"[PHONE_1]"}""", Json(redacted.Entities[0]));
    }

    [Theory]
    [InlineData("Jane@Example.com", "jane@example.com")]
    [InlineData("jane%40example.com", "jane&#64;example.com")]
    [InlineData("用户@例子.公司", "用户@xn--fsqu00a.xn--55qx5d")]
    [InlineData("4111 1111 1111 1111", "4111-1111-1111-1111")]
    [InlineData("536-22-1234", "SSN 536221234")]
    [InlineData("DE89 3704 0044 0532 0130 00", "de89370400440532013000")]
    [InlineData("+49 30 901820", "0049 (30) 901820")]
    [InlineData("2001:db8::1", "2001:0DB8:0:0::1")]
    public void Two_spellings_of_one_value_have_one_number(string one, string other)
    {
        var text = ExamplePii.Redact(Example($"{one}; {other}", Entity("Desk")), Scanner).Text;

        Assert.Single(PlaceholdersOf(text).Distinct());
        Assert.Equal(2, PlaceholdersOf(text).Count);
    }

    [Theory]
    [InlineData("jane@example.com", "john@example.com")]
    [InlineData("+49 30 901820", "030 901820")]
    [InlineData("https://a:Secret1@h", "https://a:secret1@h")]
    public void Two_values_have_two(string one, string other) => Assert.Equal(
        2, PlaceholdersOf(ExamplePii.Redact(Example($"{one}; {other}", Entity("Desk")), Scanner).Text).Distinct().Count());

    [Fact]
    public void What_only_its_label_gave_away_is_replaced_wherever_it_stands()
    {
        var example = Example(
            "The Desk is 2127365000; 2127365000x is a part.",
            Entity("Desk", """{"ids":[2127365000,"a 2127365000"],"phone":2127365000}"""));

        var redacted = ExamplePii.Redact(example, Scanner);

        Assert.Equal("The Desk is [PHONE_1]; 2127365000x is a part.", redacted.Text);
        Assert.Equal("""{"ids":["[PHONE_1]","a [PHONE_1]"],"phone":"[PHONE_1]"}""", Json(redacted.Entities[0]));
    }

    [Fact]
    public void Members_keep_names_of_their_own_and_their_order()
    {
        var example = Example(
            "The Desk.",
            Entity("Desk", """{"JANE@example.com":1,"b":{"z@example.com":2},"jane@example.com":3,"zz":4}"""));

        var redacted = ExamplePii.Redact(example, Scanner);

        Assert.Equal(
            """{"[EMAIL_1]":1,"[EMAIL_1] (again)":3,"b":{"[EMAIL_2]":2},"zz":4}""", Json(redacted.Entities[0]));
    }

    [Fact]
    public void A_number_that_the_text_has_itself_is_not_given_again() => Assert.Equal(
        "[EMAIL_1] asked [EMAIL_2], [EMAIL_4] and [EMAIL_3].",
        ExamplePii.Redact(
            Example("[EMAIL_1] asked a@example.com, b@example.com and [EMAIL_3].", Entity("Desk")), Scanner).Text);

    [Fact]
    public void An_example_without_personal_data_is_returned_as_it_is()
    {
        var example = Example("The Desk of 1998.", Entity("Desk", """{"year":1998}"""));

        Assert.Same(example, ExamplePii.Redact(example, Scanner));
    }

    [Fact]
    public void What_is_found_is_what_is_replaced_and_nothing_is_left() => Examples.Sample(
        example =>
        {
            var found = ExamplePii.IsIn(example, Scanner);
            var redacted = ExamplePii.Redact(example, Scanner);
            Assert.Equal(found, !ReferenceEquals(example, redacted));
            AssertClean(redacted);
            Assert.Same(redacted, ExamplePii.Redact(redacted, Scanner));
        },
        iter: 5_000);

    [Fact]
    public void The_ends_of_a_relationship_stay_names_of_entities() => Examples.Sample(
        example =>
        {
            var redacted = ExamplePii.Redact(example, Scanner);
            var names = redacted.Entities.Select(e => e.Name).ToHashSet();
            Assert.All(redacted.Relationships, r =>
            {
                Assert.Contains(r.SourceName, names);
                Assert.Contains(r.TargetName, names);
            });
        },
        iter: 2_000);

    // Pieces with and without a meaning of their own, so that members, types and neighbours decide.
    private static readonly Gen<string> Piece = OneOf(
        "jane@example.com", "JANE@example.com", "john@example.com", "2127365000", "536221234", "3509123409824711", "4.8.1.2",
        "+49 30 901820", "https://bot:s3cr3t1@h", "s3cr3t1", "[EMAIL_1]", "[PHONE_1]", "phone ", "ssn", "order ", " ", "x", "-", "1");

    private static readonly Gen<string> AnyText = Piece.Array[0, 5].Select(string.Concat);

    private static readonly Gen<string> Member = OneOf(
        "phone", "ssn", "card", "id", "version", "count", "work", "jane@example.com", "JANE@example.com", "2127365000",
        "[EMAIL_1]", "phoneNumber");

    private static readonly Gen<string> Value = Gen.Recursive<string>((depth, value) => depth > 2
        ? AnyText.Select(text => Quoted(text))
        : Gen.OneOf(
            AnyText.Select(text => Quoted(text)),
            OneOf("2127365000", "36221234", "536221234.0", "12", "3509123409824711", "null", "true"),
            value.Array[0, 3].Select(items => $"[{string.Join(',', items)}]"),
            Gen.Select(Member, value).Array[0, 3].Select(ObjectOf)));

    private static readonly Gen<ExampleEntity> AnyEntity = Gen.Select(
        OneOf("System", "Phone", "Order"), AnyText, AnyText, AnyText.Null(),
        Gen.Select(Member, Value).Array[0, 3].Select(ObjectOf),
        (type, name, description, key, properties) =>
            new ExampleEntity(type, name, description, key, Encoding.UTF8.GetBytes(properties)));

    private static readonly Gen<TrainingExample> Examples = Gen.Select(
        AnyText, AnyEntity.Array[1, 3], Gen.Int[0, 2], Gen.Int[0, 2], AnyText.Null(),
        (text, entities, source, target, description) => new TrainingExample(
            text, entities,
            [new(entities[source % entities.Length].Name, entities[target % entities.Length].Name, "USES", description)]));

    private static Gen<string> OneOf(params string[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static string ObjectOf((string Name, string Json)[] members)
    {
        var ordered = members.DistinctBy(m => m.Name).OrderBy(m => m.Name, StringComparer.Ordinal);
        return $"{{{string.Join(',', ordered.Select(m => $"{Quoted(m.Name)}:{m.Json}"))}}}";
    }

    private static string Quoted(string text) => $"\"{JsonEncodedText.Encode(text)}\"";

    private static void AssertClean(TrainingExample example)
    {
        Assert.False(ExamplePii.IsIn(example, Scanner));
        Assert.All(example.Entities, entity =>
        {
            using var json = JsonDocument.Parse(entity.PropertiesJson);
            AssertUnique(json.RootElement);
        });
    }

    private static void AssertUnique(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Array)
        {
            Assert.All(value.EnumerateArray(), AssertUnique);
        }
        else if (value.ValueKind == JsonValueKind.Object)
        {
            var names = value.EnumerateObject().Select(m => m.Name).ToList();
            Assert.Equal(names.Order(StringComparer.Ordinal).Distinct(), names);
            Assert.All(value.EnumerateObject(), m => AssertUnique(m.Value));
        }
    }

    private static List<string> PlaceholdersOf(string text) => [.. Placeholder().Matches(text).Select(m => m.Value)];

    private static string Json(ExampleEntity entity) => Encoding.UTF8.GetString(entity.PropertiesJson.Span);

    private static TrainingExample Example(string text, params ExampleEntity[] entities) => new(text, entities, []);

    private static ExampleEntity Entity(string name, string properties = "{}", string type = "System", string? key = null) =>
        new(type, name, "It helps everybody in the house.", key, Encoding.UTF8.GetBytes(properties));

    [GeneratedRegex(@"\[[A-Z]+_[0-9]+\]")]
    private static partial Regex Placeholder();
}
