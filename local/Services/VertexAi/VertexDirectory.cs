using FeedbackLoop.Local.VertexAi.Learning;
using Google.Cloud.AIPlatform.V1;
using Google.Protobuf;

namespace FeedbackLoop.Local.VertexAi;

/// <summary>Jobs, learned models and removed endpoints as files. Without a path, nothing is kept.</summary>
internal sealed class VertexDirectory
{
    private readonly string? _path;

    public VertexDirectory(string? path)
    {
        _path = path;
        if (path is not null)
        {
            Directory.CreateDirectory(Path.Combine(path, "jobs"));
            Directory.CreateDirectory(Path.Combine(path, "models"));
            Directory.CreateDirectory(Path.Combine(path, "removed-endpoints"));
        }
    }

    public void Save(TuningJob job)
    {
        if (_path is not null)
        {
            var id = job.Name[(job.Name.LastIndexOf('/') + 1)..];
            WriteWhole(Path.Combine(_path, "jobs", id + ".job"), job.WriteTo);
        }
    }

    /// <summary>All jobs, oldest first.</summary>
    public IReadOnlyList<TuningJob> LoadJobs() => _path is null
        ? []
        : [.. Directory.EnumerateFiles(Path.Combine(_path, "jobs"), "*.job")
            .Select(file => TuningJob.Parser.ParseFrom(File.ReadAllBytes(file)))
            .OrderBy(job => job.Name, StringComparer.Ordinal)];

    public void Save(string model, int version, LearnedExtractor extractor)
    {
        if (_path is not null)
        {
            WriteWhole(ModelFile(_path, model, version), extractor.Save);
        }
    }

    /// <returns>Null when there is no such file.</returns>
    public LearnedExtractor? LoadModel(string model, int version)
    {
        if (_path is null || !File.Exists(ModelFile(_path, model, version)))
        {
            return null;
        }

        using var file = File.OpenRead(ModelFile(_path, model, version));
        return LearnedExtractor.Load(file);
    }

    public void RememberRemoved(string endpoint)
    {
        if (_path is not null)
        {
            File.WriteAllBytes(Path.Combine(_path, "removed-endpoints", endpoint), []);
        }
    }

    public bool IsRemoved(string endpoint) =>
        _path is not null && File.Exists(Path.Combine(_path, "removed-endpoints", endpoint));

    private static string ModelFile(string path, string model, int version) =>
        Path.Combine(path, "models", $"{model}-{version}.model");

    private static void WriteWhole(string file, Action<Stream> write)
    {
        using (var stream = File.Create(file + ".new"))
        {
            write(stream);
        }

        File.Move(file + ".new", file, overwrite: true);
    }
}
