using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Pipeline.Tests.Pages;

/// <summary><c>docs/configuration.md</c> and <c>.env.example</c> against what the functions register.</summary>
public sealed partial class ConfigurationPageTests
{
    private static readonly IReadOnlyList<(Type Options, string Section, IReadOnlyList<string> Functions)> Registered = Read();

    [Fact]
    public void The_page_has_every_setting_as_the_code_has_it() => MadePage.Check(
        "configuration.md",
        new Dictionary<string, string> { ["settings"] = string.Join("\n\n", Registered.Select(Describe)) });

    [Fact]
    public void Every_variable_that_the_example_names_is_one()
    {
        var known = Registered.SelectMany(each => Setting.Of(each.Options, each.Section, Defaults)).ToList();
        var others = OtherVariable().Matches(File.ReadAllText(Path.Combine(MadePage.Root, "docs", "configuration.md")))
            .Select(match => match.Groups[1].Value).ToHashSet();
        var named = ExampleVariable().Matches(File.ReadAllText(Path.Combine(MadePage.Root, ".env.example")))
            .Select(match => match.Groups[1].Value).ToList();

        Assert.NotEmpty(named);
        Assert.DoesNotContain(named, name => !others.Contains(name) && !known.Exists(setting => setting.Matches(name)));
    }

    [Fact]
    public void The_example_names_every_setting_without_which_a_function_does_not_start()
    {
        var example = File.ReadAllText(Path.Combine(MadePage.Root, ".env.example"));

        var needed = Registered.SelectMany(each => Setting.Of(each.Options, each.Section, Defaults))
            .Where(setting => setting.Default == "none; must be set" && !setting.Variable.Contains("__N__", StringComparison.Ordinal))
            .Select(setting => setting.Variable)
            .ToList();
        Assert.NotEmpty(needed);
        Assert.DoesNotContain(needed, name => !example.Contains($"\n{name}=", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_other_variable_of_the_page_is_read_somewhere()
    {
        var page = File.ReadAllText(Path.Combine(MadePage.Root, "docs", "configuration.md"));

        // OpenTelemetry's are read by its library as well.
        var code = string.Join('\n', new[] { "shared", "functions", "cli", "compat", "local", "admin-ui" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(MadePage.Root, folder), "*", SearchOption.AllDirectories))
            .Where(file => file.EndsWith(".cs", StringComparison.Ordinal) || file.EndsWith("find-chromium.sh", StringComparison.Ordinal))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/node_modules/", StringComparison.Ordinal))
            .Select(File.ReadAllText));

        var others = OtherVariable().Matches(page).Select(match => match.Groups[1].Value).ToList();
        Assert.NotEmpty(others);
        Assert.DoesNotContain(
            others, name => !code.Contains(name.Replace("__", ":", StringComparison.Ordinal), StringComparison.Ordinal));
    }

    private static JsonElement Defaults { get; } =
        JsonDocument.Parse(File.ReadAllText(Path.Combine(MadePage.Root, "functions", "appsettings.json"))).RootElement;

    private static string Describe((Type Options, string Section, IReadOnlyList<string> Functions) registered)
    {
        var (options, section, functions) = registered;
        var rows = Setting.Of(options, section, Defaults).Select(
            each => $"| `{each.Variable}` | {each.Type} | {each.Default} | {each.Allowed} | {each.Meaning} |");
        return
            $"""
            ### {section}

            {Setting.Summary(options)} `{SourceOf(options)}`, read by {string.Join(", ", functions)}.

            | variable | type | default | allowed | meaning |
            |---|---|---|---|---|
            {string.Join('\n', rows)}
            """;
    }

    private static string SourceOf(Type options) => new[] { "shared", "functions" }
        .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(MadePage.Root, folder), "*.cs", SearchOption.AllDirectories))
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
        .Single(file => Regex.IsMatch(File.ReadAllText(file), $"\\bpublic sealed class {options.Name}\\b"))[(MadePage.Root.Length + 1)..];

    /// <summary>What each function's startups bind, by section.</summary>
    private static List<(Type, string, IReadOnlyList<string>)> Read()
    {
        var found = Directory.EnumerateDirectories(Path.Combine(MadePage.Root, "functions"))
            .Select(folder => Path.GetFileName(folder)!)
            .Where(name => File.Exists(Path.Combine(MadePage.Root, "functions", name, name + ".csproj")))
            .Order(StringComparer.Ordinal)
            .SelectMany(function => BoundBy(function).Select(options => (options, function)));
        return [.. found
            .GroupBy(pair => pair.options, pair => pair.function)
            .Select(group => (
                group.Key, (string)group.Key.GetField("Section")!.GetRawConstantValue()!, (IReadOnlyList<string>)[.. group]))
            .OrderBy(each => each.Item2, StringComparer.Ordinal)];
    }

    private static IEnumerable<Type> BoundBy(string function)
    {
        var assembly = Assembly.Load(function);
        var services = new ServiceCollection();
        var context = new WebHostBuilderContext { Configuration = new ConfigurationBuilder().Build() };
        foreach (var startup in FunctionsStartupAttribute.GetStartupTypes(assembly, assembly.GetTypes().Single(t => t.Name == "Function")))
        {
            ((FunctionsStartup)Activator.CreateInstance(startup)!).ConfigureServices(context, services);
        }

        // What BindConfiguration leaves behind, and AddOptions alone does not.
        return services.Select(service => service.ServiceType)
            .Where(type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IOptionsChangeTokenSource<>))
            .Select(type => type.GetGenericArguments()[0])
            .Where(type => type.Namespace!.StartsWith("FeedbackLoop", StringComparison.Ordinal))
            .Distinct();
    }

    // Of the page's second table: a row that begins with the name.
    [GeneratedRegex(@"^\| `([A-Z][A-Za-z_]+)` \| [^|]+ \|$", RegexOptions.Multiline)]
    private static partial Regex OtherVariable();

    [GeneratedRegex("^#?([A-Za-z][A-Za-z0-9_]*)=", RegexOptions.Multiline)]
    private static partial Regex ExampleVariable();
}
