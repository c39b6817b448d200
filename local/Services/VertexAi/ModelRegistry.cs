using System.Globalization;
using FeedbackLoop.Local.VertexAi.Learning;
using Google.Cloud.AIPlatform.V1;

namespace FeedbackLoop.Local.VertexAi;

/// <summary>A version of a tuned model, and the region that it was made in.</summary>
internal sealed record TunedVersion(
    string ProjectNumber, string Region, string Id, int Version, string DisplayName, string BaseModel,
    TunedModel Resource)
{
    public static TunedVersion Of(TuningJob job, string baseModel)
    {
        // "…/models/ID@VERSION": written by this server.
        var (project, region, name) = ResourceNames.Child(job.TunedModel.Model, "models")!.Value;
        var parts = name.Split('@');
        return new TunedVersion(
            project, region, parts[0], int.Parse(parts[1], CultureInfo.InvariantCulture), job.TunedModelDisplayName,
            baseModel, job.TunedModel);
    }

    public bool HasEndpoint(string endpoint) =>
        Resource.Endpoint == endpoint || Resource.Checkpoints.Any(each => each.Endpoint == endpoint);
}

/// <summary>Tuned models and their endpoints.</summary>
internal sealed class ModelRegistry(VertexDirectory directory)
{
    private readonly Lock _lock = new();
    private readonly List<TunedVersion> _versions = [];
    private readonly Dictionary<(string Id, int Version), LearnedExtractor> _extractors = [];
    private readonly HashSet<string> _removed = [];

    public void Add(TunedVersion version, LearnedExtractor? extractor)
    {
        lock (_lock)
        {
            _versions.Add(version);
            if (extractor is not null)
            {
                _extractors[(version.Id, version.Version)] = extractor;
                directory.Save(version.Id, version.Version, extractor);
            }
        }
    }

    /// <param name="name">
    /// <c>…/models/ID</c>, with <c>@VERSION</c>, <c>@default</c> or neither, which is the newest.
    /// </param>
    public TunedVersion? FindModel(string name)
    {
        if (ResourceNames.Child(name, "models") is not var (project, region, id))
        {
            return null;
        }

        var (model, wanted) = id.Split('@') is [var first, var second] ? (first, second) : (id, "default");
        lock (_lock)
        {
            var versions = _versions.Where(each => each.Id == model && each.Region == region
                && each.ProjectNumber == ResourceNames.ProjectNumber(project));
            return wanted == "default"
                ? versions.MaxBy(each => each.Version)
                : versions.FirstOrDefault(
                    each => each.Version.ToString(CultureInfo.InvariantCulture) == wanted);
        }
    }

    public TunedVersion? FindEndpoint(string name)
    {
        if (ResourceNames.Child(name, "endpoints") is not var (project, location, id))
        {
            return null;
        }

        lock (_lock)
        {
            return _removed.Contains(id) || directory.IsRemoved(id)
                ? null
                : _versions.FirstOrDefault(each => ResourceNames.Serves(each.Region, location)
                    && each.ProjectNumber == ResourceNames.ProjectNumber(project)
                    && each.HasEndpoint($"projects/{each.ProjectNumber}/locations/{each.Region}/endpoints/{id}"));
        }
    }

    public void RemoveEndpoint(string name)
    {
        if (ResourceNames.Child(name, "endpoints") is not var (_, _, id))
        {
            throw new ArgumentException($"{name} is no name of an endpoint.", nameof(name));
        }

        lock (_lock)
        {
            _removed.Add(id);
            directory.RememberRemoved(id);
        }
    }

    public LearnedExtractor Extractor(TunedVersion version)
    {
        lock (_lock)
        {
            if (!_extractors.TryGetValue((version.Id, version.Version), out var extractor))
            {
                extractor = directory.LoadModel(version.Id, version.Version)
                    ?? throw new InvalidOperationException($"The learned part of model {version.Id} is lost.");
                _extractors.Add((version.Id, version.Version), extractor);
            }

            return extractor;
        }
    }
}
