using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace FeedbackLoop.SqlMutation;

/// <summary>A class of tests, how long it takes, and which statements it sends.</summary>
internal sealed record TestClass(string Project, string Name, TimeSpan Takes, IReadOnlyList<string> Statements)
{
    public bool Sends(SqlLiteral literal)
    {
        var pattern = new Regex(
            string.Join(".*?", Regex.Split(literal.Text, $"{SqlLiteral.Hole}.").Select(Regex.Escape)), RegexOptions.Singleline);
        return Statements.Any(pattern.IsMatch);
    }
}

/// <summary>Runs classes of tests, each in a process of its own, in the throw-away copy.</summary>
internal sealed partial class TestClasses(ThrowAwayCopy copy)
{
    private static readonly TimeSpan LongestUnchanged = TimeSpan.FromMinutes(15);

    /// <summary>Every class of these projects once, unchanged.</summary>
    public IReadOnlyList<TestClass> Record(IEnumerable<string> projects, Action<string> say)
    {
        var recorded = new List<TestClass>();
        foreach (var project in projects)
        {
            var (_, list) = Programs.Run(copy.Folder, Program(project), ["-list", "classes", "-noColor"]);
            foreach (var name in list.Split('\n').Select(line => line.Trim()).Where(line => ClassName().IsMatch(line)))
            {
                var record = Path.Combine(copy.Folder, "statements");
                File.Delete(record);
                var started = Stopwatch.GetTimestamp();
                var (code, output) = Run(project, name, LongestUnchanged, ("SQL_RECORD", record));
                var takes = Stopwatch.GetElapsedTime(started);
                if (code != 0)
                {
                    throw new InvalidOperationException($"{name} is red without a mutant:\n{output}");
                }

                string[] statements = File.Exists(record)
                    ? [.. File.ReadAllLines(record).Distinct()
                        .Select(line => Encoding.UTF8.GetString(Convert.FromBase64String(line)))]
                    : [];
                recorded.Add(new TestClass(project, name, takes, statements));
                say($"{name}: {statements.Length} statements, {takes.TotalSeconds:0.0} s");
            }
        }

        return recorded;
    }

    public (int Code, string Output) Run(
        string project, string name, TimeSpan limit, params (string Name, string Value)[] environment) =>
        Programs.Run(copy.Folder, Program(project), ["-class", name, "-noColor", "-stopOnFail"], limit, environment);

    private string Program(string project) => Path.Combine(copy.Folder, "tests", project, "bin/Debug/net10.0", project);

    [GeneratedRegex(@"^FeedbackLoop\.[\w.+]+$")]
    private static partial Regex ClassName();
}
