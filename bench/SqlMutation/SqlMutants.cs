using System.Text.RegularExpressions;

namespace FeedbackLoop.SqlMutation;

/// <summary>Finds the conditions of a statement, by its words and parentheses, and drops them one at a time.</summary>
internal static partial class SqlMutants
{
    private static readonly HashSet<string> Ends =
    [
        "group", "order", "limit", "returning", "union", "except", "intersect", "having", "window", "for", "on", "join", "left",
        "inner", "cross", "right", "full", "where", "offset", "do", "set", "when", "then", "else", "select", "insert", "update",
        "delete", ",", ";",
    ];

    private readonly record struct Token(int Start, int End, string Word, int Depth);

    public static IReadOnlyList<SqlMutant> Of(SqlLiteral literal)
    {
        var tokens = Read(literal.Text);
        var mutants = new List<SqlMutant>();
        for (var index = 0; index < tokens.Count; index++)
        {
            var before = index > 0 ? tokens[index - 1].Word : "";
            var after = index + 1 < tokens.Count ? tokens[index + 1].Word : "";
            switch (tokens[index].Word)
            {
                case "where" or "having":
                case "on" when after != "conflict" && before != "distinct":
                    AddConditions(literal, tokens, index + 1, mutants);
                    break;
                case "and" when IsOrphan(tokens, index):
                    AddConditions(literal, tokens, index + 1, mutants);
                    break;
                case "skip" when after == "locked":
                    mutants.Add(Mutant(literal, "skip locked", tokens[index].Start, tokens[index + 1].End, ""));
                    break;
                case "limit":
                    mutants.Add(Mutant(
                        literal, "limit", tokens[index].Start, tokens[EndOf(tokens, index + 1) - 1].End, ""));
                    break;
                case "distinct" when before is not ("is" or "not") && after != "on":
                    mutants.Add(Mutant(literal, "distinct", tokens[index].Start, tokens[index].End, ""));
                    break;
            }
        }

        return mutants;
    }

    // A part of a statement that is added to another one begins with its conjunction.
    private static bool IsOrphan(List<Token> tokens, int index)
    {
        for (var at = index - 1; at >= 0 && tokens[at].Depth >= tokens[index].Depth; at--)
        {
            if (tokens[at].Depth == tokens[index].Depth && tokens[at].Word is "where" or "on" or "having" or "and" or "between")
            {
                return false;
            }
        }

        return tokens[index].Depth == 0;
    }

    private static void AddConditions(SqlLiteral literal, List<Token> tokens, int from, List<SqlMutant> mutants)
    {
        var end = EndOf(tokens, from);
        foreach (var (first, last) in Split(tokens, from, end, "and"))
        {
            Add(literal, "condition", tokens, first, last, "true", mutants);
            AddAlternatives(literal, tokens, first, last, mutants);
        }
    }

    // Within parentheses: of several alternatives none is enough any more, of several conditions one is not asked.
    private static void AddAlternatives(SqlLiteral literal, List<Token> tokens, int first, int last, List<SqlMutant> mutants)
    {
        if (tokens[first].Word != "(" || tokens[last - 1].Word != ")" || last - first < 3)
        {
            return;
        }

        var alternatives = Split(tokens, first + 1, last - 1, "or");
        foreach (var (start, end) in alternatives)
        {
            if (alternatives.Count > 1)
            {
                Add(literal, "alternative", tokens, start, end, "false", mutants);
            }

            var conditions = Split(tokens, start, end, "and");
            foreach (var (inner, innerEnd) in conditions)
            {
                if (conditions.Count > 1)
                {
                    Add(literal, "condition", tokens, inner, innerEnd, "true", mutants);
                }

                AddAlternatives(literal, tokens, inner, innerEnd, mutants);
            }
        }
    }

    private static void Add(
        SqlLiteral literal, string kind, List<Token> tokens, int first, int last, string instead, List<SqlMutant> mutants)
    {
        if (last > first && !(last - first == 1 && tokens[first].Word is "true" or "false"))
        {
            mutants.Add(Mutant(literal, kind, tokens[first].Start, tokens[last - 1].End, instead));
        }
    }

    private static SqlMutant Mutant(SqlLiteral literal, string kind, int start, int end, string instead) => new(
        literal, kind,
        Blank().Replace(Interpolation().Replace(literal.Text[start..end], "{…}"), " "),
        literal.Text[..start] + instead + literal.Text[end..]);

    /// <summary>The first token after the expression that begins at <paramref name="from"/>.</summary>
    private static int EndOf(List<Token> tokens, int from)
    {
        if (from >= tokens.Count)
        {
            return from;
        }

        var depth = tokens[from].Word == ")" ? tokens[from].Depth + 1 : tokens[from].Depth;
        var at = from;
        while (at < tokens.Count && tokens[at].Depth >= depth
            && !(tokens[at].Depth == depth && Ends.Contains(tokens[at].Word) && !IsCall(tokens, at)))
        {
            at++;
        }

        return at;
    }

    private static bool IsCall(List<Token> tokens, int at) =>
        tokens[at].Word is "left" or "right" && at + 1 < tokens.Count && tokens[at + 1].Word == "(";

    private static List<(int First, int Last)> Split(List<Token> tokens, int from, int end, string by)
    {
        var parts = new List<(int, int)>();
        var (start, isBetween) = (from, false);
        for (var at = from; at < end; at++)
        {
            if (tokens[at].Depth != tokens[from].Depth)
            {
                continue;
            }

            if (tokens[at].Word == "between")
            {
                isBetween = true;
            }
            else if (tokens[at].Word == "and" && isBetween)
            {
                isBetween = false;
            }
            else if (tokens[at].Word == by)
            {
                parts.Add((start, at));
                start = at + 1;
            }
        }

        parts.Add((start, end));
        return parts;
    }

    /// <summary>Parentheses have the depth that is outside them; <c>case … end</c> counts as parentheses.</summary>
    private static List<Token> Read(string sql)
    {
        var tokens = new List<Token>();
        var depth = 0;
        foreach (Match match in TokenPattern().Matches(sql))
        {
            var word = match.Value;
            if (word.StartsWith("--", StringComparison.Ordinal) || word.StartsWith("/*", StringComparison.Ordinal))
            {
                continue;
            }

            if (word is ")" or "]" or "end")
            {
                depth--;
            }

            tokens.Add(new Token(match.Index, match.Index + match.Length, word, depth));
            if (word is "(" or "[" or "case")
            {
                depth++;
            }
        }

        return tokens;
    }

    [GeneratedRegex(
        @"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|""[^""]*""|\x01.|[A-Za-z_@][\w.@]*|\d[\w.]*|::|[()\[\],;]|[^\s\w()\[\],;'""\x01@]+",
        RegexOptions.Singleline)]
    private static partial Regex TokenPattern();

    [GeneratedRegex(@"\x01.")]
    private static partial Regex Interpolation();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blank();
}
