using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace FeedbackLoop.ModelSelection;

/// <summary>
/// Which models to ask for a project, from memory for thirty seconds. Trouble with the API never stops an extraction: then the
/// last known answer stands, and without one the base model.
/// </summary>
/// <param name="http">Its base address is the API's, with a slash at the end: <c>https://…/api/</c>.</param>
/// <param name="getToken">A token for the API, without <c>Bearer</c>; asked for each time, so it may keep one.</param>
/// <param name="baseModel">Used when the API has never answered.</param>
public sealed class ModelSelectionClient(
    HttpClient http, Func<CancellationToken, Task<string>> getToken, ServedModel baseModel, TimeProvider time)
{
    /// <summary>Whoever promotes a model sees it used after this time.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromSeconds(30);

    private const int Capacity = 10_000;
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<Guid, Known> _known = new();
    private readonly ConcurrentDictionary<Guid, Lazy<Task<Selection>>> _asking = new();

    /// <summary>Any number of callers at once cost one request for each project.</summary>
    /// <exception cref="SelectionRefusedException">The API refuses, and has never answered for this project.</exception>
    public ValueTask<Selection> SelectAsync(Guid projectId, CancellationToken cancellationToken) =>
        _known.TryGetValue(projectId, out var known) && time.GetTimestamp() < known.FreshUntil
            ? new ValueTask<Selection>(known.Selection)
            : new ValueTask<Selection>(WaitAsync(projectId, cancellationToken));

    private Task<Selection> WaitAsync(Guid projectId, CancellationToken cancellationToken)
    {
        var asking = _asking.GetOrAdd(projectId, id => new Lazy<Task<Selection>>(() => AskOnceAsync(id)));

        // Whoever gives up waiting leaves the request to the others.
        return asking.Value.WaitAsync(cancellationToken);
    }

    private async Task<Selection> AskOnceAsync(Guid projectId)
    {
        try
        {
            var selection = await AskOrRememberAsync(projectId);
            var freshness = selection.Source == SelectionSource.Api ? Freshness : PauseAfterFailure;
            _known[projectId] = new(
                selection, time.GetTimestamp() + (long)(freshness.TotalSeconds * time.TimestampFrequency));
            Trim();
            return selection;
        }
        finally
        {
            _asking.TryRemove(projectId, out _);
        }
    }

    private async Task<Selection> AskOrRememberAsync(Guid projectId)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        try
        {
            return await AskAsync(projectId, patience.Token);
        }
        catch (SelectionRefusedException e) when (FindLast(projectId) is { } last)
        {
            return last with { Source = SelectionSource.LastKnown, Problem = e.Message };
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or OperationCanceledException)
        {
            var problem = e is OperationCanceledException ? $"no answer within {Patience.TotalSeconds:0} seconds" : e.Message;
            return FindLast(projectId) is { } last
                ? last with { Source = SelectionSource.LastKnown, Problem = problem }
                : new Selection(
                    projectId, [baseModel with { Reason = "the model selection cannot be asked, and nothing is remembered" }],
                    Prompt: null, SelectionSource.BaseModel, problem);
        }
    }

    private async Task<Selection> AskAsync(Guid projectId, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Get, new Uri($"model-selection/{projectId}?prompt=true", UriKind.Relative));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await getToken(cancellationToken));
        using var response = await http.SendAsync(request, cancellationToken);
        if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound)
        {
            throw new SelectionRefusedException(response.StatusCode, projectId);
        }

        response.EnsureSuccessStatusCode();
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var answer = await JsonSerializer.DeserializeAsync(
            body, SelectionJson.Default.SelectionAnswer, cancellationToken);
        return answer?.ToSelection() ?? throw new JsonException("the answer is null");
    }

    private Selection? FindLast(Guid projectId) =>
        _known.TryGetValue(projectId, out var known) && known.Selection.Source != SelectionSource.BaseModel
            ? known.Selection
            : null;

    // A tenth at a time, so that a full memory does not sort itself at every step.
    private void Trim()
    {
        if (_known.Count > Capacity)
        {
            foreach (var (id, _) in _known.OrderBy(each => each.Value.FreshUntil).Take(Capacity / 10).ToList())
            {
                _known.TryRemove(id, out _);
            }
        }
    }

    private sealed record Known(Selection Selection, long FreshUntil);
}
