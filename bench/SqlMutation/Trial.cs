using System.Diagnostics;
using System.Text;

namespace FeedbackLoop.SqlMutation;

internal enum Verdict
{
    Killed,
    Survived,

    /// <summary>No test sends the statement.</summary>
    NotCovered,

    /// <summary>The statement without the condition is no statement.</summary>
    DoesNotParse,
}

/// <param name="By">The class that was red, if one was.</param>
internal sealed record Trial(SqlMutant Mutant, Verdict Verdict, string By, TimeSpan Took)
{
    public string ToLine() => string.Join(
        '\t', Verdict, Mutant.Literal.Place, Mutant.Kind, Mutant.Dropped, By, $"{Took.TotalSeconds:0.0}", Mutant.Id);

    /// <summary>Runs the classes that send the statement, the quickest first, until one is red.</summary>
    public static Trial Of(SqlMutant mutant, IReadOnlyList<TestClass> classes, TestClasses runner, string folder)
    {
        var started = Stopwatch.GetTimestamp();
        var reaching = classes.Where(each => each.Sends(mutant.Literal)).OrderBy(each => each.Takes).ToList();
        var file = Path.Combine(folder, "mutant");
        File.WriteAllLines(file, [Encode(mutant.Literal.Text), Encode(mutant.Text)]);
        foreach (var each in reaching)
        {
            // One that waits for what never comes is as red as one that says so.
            var limit = TimeSpan.FromSeconds(60) + (5 * each.Takes);
            var (code, output) = runner.Run(each.Project, each.Name, limit, ("SQL_MUTANT", file));
            if (code != 0)
            {
                var isSyntax = output.Contains("42601", StringComparison.Ordinal)
                    || output.Contains("42P18", StringComparison.Ordinal);
                return new Trial(
                    mutant, isSyntax ? Verdict.DoesNotParse : Verdict.Killed,
                    code == Programs.TimedOut ? $"{each.Name} (time)" : each.Name, Stopwatch.GetElapsedTime(started));
            }
        }

        return new Trial(
            mutant, reaching.Count == 0 ? Verdict.NotCovered : Verdict.Survived, "", Stopwatch.GetElapsedTime(started));
    }

    private static string Encode(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
