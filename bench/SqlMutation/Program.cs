using FeedbackLoop.SqlMutation;

if (args is [] or ["-h"] or ["--help"])
{
    Console.WriteLine(
        """
        usage: SqlMutation list FOLDER…
               SqlMutation run RESULTS.tsv FOLDER… --tests PROJECT… [--only TEXT]

        FOLDER is a folder or a file below the repository's root, such as shared/Runs. PROJECT is a folder of tests/. With
        --only, mutants whose file or condition holds the text. A mutant that RESULTS.tsv has a line for is not tried again.
        """);
    return 2;
}

var repository = FindRepository();
var words = args.Skip(1).ToList();
var only = TakeAfter("--only").SingleOrDefault() ?? "";
var projects = TakeAfter("--tests");
var results = args[0] == "run" ? Take() : "";
var mutants = words.SelectMany(ListFiles)
    .SelectMany(file => CSharpLiterals.ReadSql(file, File.ReadAllText(Path.Combine(repository, file))))
    .SelectMany(SqlMutants.Of)
    .Where(mutant => mutant.Literal.Place.Contains(only, StringComparison.Ordinal)
        || mutant.Dropped.Contains(only, StringComparison.Ordinal))
    .ToList();
if (args[0] == "list")
{
    mutants.ForEach(mutant => Console.WriteLine($"{mutant.Literal.Place}\t{mutant.Kind}\t{mutant.Dropped}"));
    Console.WriteLine($"{mutants.Count} mutants");
    return 0;
}

var done = File.Exists(results) ? File.ReadAllLines(results).Select(line => line.Split('\t')[^1]).ToHashSet() : [];
using var copy = ThrowAwayCopy.Of(repository);
copy.Build(projects);
var runner = new TestClasses(copy);
var classes = runner.Record(projects, Console.WriteLine);
foreach (var mutant in mutants.Where(mutant => !done.Contains(mutant.Id)))
{
    var trial = Trial.Of(mutant, classes, runner, copy.Folder);
    Console.WriteLine(trial.ToLine());
    File.AppendAllLines(results, [trial.ToLine()]);
}

var verdicts = File.ReadAllLines(results).CountBy(line => line.Split('\t')[0]).ToDictionary();
Console.WriteLine(string.Join(", ", verdicts.Select(each => $"{each.Value} {each.Key}")));
return 0;

IEnumerable<string> ListFiles(string place) => File.Exists(Path.Combine(repository, place))
    ? [place]
    : Directory.EnumerateFiles(Path.Combine(repository, place), "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
        .Select(file => Path.GetRelativePath(repository, file)).Order(StringComparer.Ordinal);

string Take()
{
    var word = words[0];
    words.RemoveAt(0);
    return word;
}

List<string> TakeAfter(string option)
{
    var at = words.IndexOf(option);
    if (at < 0)
    {
        return [];
    }

    var taken = words.Skip(at + 1).TakeWhile(word => !word.StartsWith("--", StringComparison.Ordinal)).ToList();
    words.RemoveRange(at, taken.Count + 1);
    return taken;
}

static string FindRepository()
{
    var folder = new DirectoryInfo(Environment.CurrentDirectory);
    while (!File.Exists(Path.Combine(folder.FullName, "Functions.sln")))
    {
        folder = folder.Parent ?? throw new InvalidOperationException("run this within the repository");
    }

    return folder.FullName;
}
