namespace FeedbackLoop.SqlMutation;

/// <summary>
/// The sources once more, in a folder that is deleted afterwards, where every statement can be changed at run time.
/// </summary>
internal sealed class ThrowAwayCopy : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sql-mutation-");

    public string Folder => _folder.FullName;

    /// <summary>
    /// Copies what Git knows, and lets the one place through which statements pass ask for the mutant.
    /// </summary>
    public static ThrowAwayCopy Of(string repository)
    {
        var copy = new ThrowAwayCopy();
        Programs.Run(
            repository, "sh",
            ["-c", $"git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t '{copy.Folder}'"]);
        var platform = Path.Combine(copy.Folder, "shared/Platform");
        File.Copy(
            Path.Combine(AppContext.BaseDirectory, "SqlMutation.cs.txt"), Path.Combine(platform, "SqlMutation.cs"));
        Change(
            Path.Combine(platform, "Sql.cs"), "new(sql, args, cancellationToken: cancellationToken)",
            "new(SqlMutation.Apply(sql), args, cancellationToken: cancellationToken)");
        foreach (var file in Directory.EnumerateFiles(
            Path.Combine(copy.Folder, "shared"), "*.cs", SearchOption.AllDirectories))
        {
            if (!file.EndsWith("SqlMutation.cs", StringComparison.Ordinal))
            {
                File.WriteAllLines(file, File.ReadAllLines(file).Select(Redirect));
            }
        }

        return copy;
    }

    public void Build(IEnumerable<string> projects)
    {
        foreach (var project in projects)
        {
            var (code, output) = Programs.Run(
                Folder, "dotnet",
                [
                    "build", $"tests/{project}/{project}.csproj", "-v", "q", "--nologo", "-p:RunAnalyzers=false",
                    "-p:TreatWarningsAsErrors=false",
                ]);
            if (code != 0)
            {
                throw new InvalidOperationException($"{project} does not build:\n{output}");
            }
        }
    }

    public void Dispose() => _folder.Delete(recursive: true);

    // Commands with settings of their own are cursors and fetches without a condition.
    private static string Redirect(string line) => line.Contains("CommandTimeout", StringComparison.Ordinal)
        ? line
        : line.Replace(
            "new NpgsqlCommand(", "FeedbackLoop.Platform.SqlMutation.Command(", StringComparison.Ordinal);

    private static void Change(string file, string from, string to)
    {
        var source = File.ReadAllText(file);
        if (!source.Contains(from, StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"{file} builds its commands otherwise: there is no '{from}'");
        }

        File.WriteAllText(file, source.Replace(from, to, StringComparison.Ordinal));
    }
}
