using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace FeedbackLoop.Pipeline.Tests.Pages;

/// <summary>One property of an options class, as an operator sees it.</summary>
/// <param name="Variable">As the environment spells it. A list's place and a dictionary's key are words in capitals.</param>
/// <param name="Allowed">What validation by annotation says; empty when it says nothing.</param>
internal sealed partial record Setting(string Variable, string Type, string Default, string Allowed, string Meaning)
{
    private const string Unset = "–";

    /// <summary>What can be configured of an options class and of what its lists hold, in the order of the code.</summary>
    /// <param name="defaults">The functions' own <c>appsettings.json</c>, which wins over the class.</param>
    public static IEnumerable<Setting> Of(Type options, string section, JsonElement defaults) =>
        Of(options, section, Member(defaults, section), Activator.CreateInstance(options)!);

    /// <summary>The documentation of a type, in Markdown.</summary>
    public static string Summary(Type type) => Documentation(type.Assembly, $"T:{type.FullName}");

    /// <summary>Whether a variable of the environment sets this setting.</summary>
    public bool Matches(string variable) => Regex.IsMatch(
        variable, $"^{Place().Replace(Regex.Escape(Variable), "__[A-Za-z0-9_-]+")}$", RegexOptions.None, TimeSpan.FromSeconds(1));

    private static IEnumerable<Setting> Of(Type type, string prefix, JsonElement? defaults, object values)
    {
        // What cannot be set, such as a value that is computed of others, is no setting.
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.SetMethod is not null))
        {
            var variable = $"{prefix}__{property.Name}";
            var file = Member(defaults, property.Name);
            var (element, place) = ElementOf(property.PropertyType);
            if (element is { IsClass: true } && element != typeof(string))
            {
                foreach (var inner in Of(element, variable + place, null, Activator.CreateInstance(element)!))
                {
                    yield return inner;
                }

                continue;
            }

            yield return new Setting(
                variable + place,
                (place == "__N" ? "list: " : "") + NameOf(element ?? property.PropertyType),
                DefaultOf(property, file, values),
                string.Join("; ", property.GetCustomAttributes<ValidationAttribute>().Select(Describe).Where(text => text.Length > 0)),
                Documentation(type.Assembly, $"P:{type.FullName}.{property.Name}"));
        }
    }

    private static JsonElement? Member(JsonElement? parent, string name) =>
        parent is { ValueKind: JsonValueKind.Object } known && known.TryGetProperty(name, out var member) ? member : null;

    private static (Type? Element, string Place) ElementOf(Type type) => type switch
    {
        { IsGenericType: true } when type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) =>
            (type.GetGenericArguments()[0], "__N"),
        { IsGenericType: true } when type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>) =>
            (type.GetGenericArguments()[1], "__KEY"),
        _ => (null, ""),
    };

    private static string NameOf(Type type) => (Nullable.GetUnderlyingType(type) ?? type) switch
    {
        { IsEnum: true } choice => string.Join(", ", Enum.GetNames(choice).Select(name => $"`{name}`")),
        var plain when plain == typeof(string) => "text",
        var plain when plain == typeof(bool) => "`true`, `false`",
        var plain when plain == typeof(int) => "whole number",
        var plain when plain == typeof(double) || plain == typeof(decimal) => "number",
        var plain when plain == typeof(TimeSpan) => "time",
        var plain when plain == typeof(DateOnly) => "day",
        var plain when plain == typeof(Uri) => "address",
        var plain => throw new InvalidOperationException($"no word for a setting of {plain}"),
    };

    private static string DefaultOf(PropertyInfo property, JsonElement? file, object values) => file switch
    {
        { ValueKind: JsonValueKind.String } text => $"`{text.GetString()}`",
        { ValueKind: JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False } plain => $"`{plain.GetRawText()}`",
        _ => property.GetValue(values) switch
        {
            null or "" => property.IsDefined(typeof(RequiredAttribute)) ? "none; must be set" : Unset,
            string text => $"`{text}`",
            bool flag => flag ? "`true`" : "`false`",
            TimeSpan time => $"`{time:c}`",
            ICollection { Count: 0 } => Unset,
            IFormattable other => $"`{other.ToString(null, CultureInfo.InvariantCulture)}`",
            var other => throw new InvalidOperationException($"no words for the default {other} of {property.Name}"),
        },
    };

    private static string Describe(ValidationAttribute attribute) => attribute switch
    {
        RangeAttribute range => string.Create(CultureInfo.InvariantCulture, $"{range.Minimum} to {range.Maximum}"),
        RegularExpressionAttribute pattern => $"`{pattern.Pattern}`",
        MinLengthAttribute { Length: 1 } => "at least one",
        RequiredAttribute => "",
        _ => throw new InvalidOperationException($"no words for {attribute.GetType().Name}"),
    };

    private static string Documentation(Assembly assembly, string member)
    {
        var file = Path.Combine(AppContext.BaseDirectory, $"{assembly.GetName().Name}.xml");
        var found = XDocument.Load(file).Descendants("member").FirstOrDefault(each => each.Attribute("name")?.Value == member);
        var summary = found?.Element("summary")?.Nodes().Select(node => node switch
        {
            XText text => text.Value,
            XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
            XElement { Name.LocalName: "see" } see => $"`{see.Attribute("cref")!.Value.Split('.')[^1]}`",
            _ => throw new InvalidOperationException($"no Markdown for {node} of {member}"),
        });
        var text = Space().Replace(string.Concat(summary ?? []), " ").Trim().Replace("|", "\\|", StringComparison.Ordinal);
        return text.Length > 0 ? text : throw new InvalidOperationException($"{member} has no summary for docs/configuration.md");
    }

    [GeneratedRegex("__(N|KEY)\\b")]
    private static partial Regex Place();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
