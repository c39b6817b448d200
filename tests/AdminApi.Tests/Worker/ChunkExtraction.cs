using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using FeedbackLoop.ModelSelection;

namespace ExtractionWorker;

/// <summary>A chunk's text to the answer of the best model that is there.</summary>
/// <param name="ownPrompt">For the time in which the API has never answered.</param>
public sealed class ChunkExtraction(
    ModelSelectionClient selection, SelectedPrompt ownPrompt, HttpClient vertex,
    Func<CancellationToken, Task<string>> getGoogleToken)
{
    public async Task<(ServedModel Model, JsonNode Answer)> AskAsync(
        Guid projectId, string text, CancellationToken cancellationToken)
    {
        var selected = await selection.SelectAsync(projectId, cancellationToken);
        var prompt = selected.Prompt ?? ownPrompt;
        foreach (var model in selected.Models)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, model.GenerateContentUrl);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await getGoogleToken(cancellationToken));
            request.Content = new StringContent(
                Body(model, prompt, text).ToJsonString(), Encoding.UTF8, "application/json");
            using var response = await vertex.SendAsync(request, cancellationToken);
            if (response.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.NotFound && model.Tier != "base")
            {
                continue; // the endpoint is gone, or not ours any more: the next tier answers
            }

            response.EnsureSuccessStatusCode();
            var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellationToken));
            return (model, answer ?? throw new InvalidDataException("the answer is null"));
        }

        throw new InvalidOperationException("a selection ends with the base model");
    }

    private static JsonObject Body(ServedModel model, SelectedPrompt prompt, string text)
    {
        var configuration = new JsonObject { ["candidateCount"] = 1 };
        if (model.Endpoint is null)
        {
            configuration["responseMimeType"] = "application/json"; // a tuned model has learnt the form
        }

        if (model.Thinking != "unset")
        {
            configuration["thinkingConfig"] = model.Thinking == "minimal"
                ? new JsonObject { ["thinkingLevel"] = "MINIMAL" }
                : new JsonObject { ["thinkingBudget"] = 0 };
        }

        return new JsonObject
        {
            ["systemInstruction"] = Turn("system", prompt.System),
            ["contents"] = new JsonArray(Turn("user", prompt.User(text))),
            ["generationConfig"] = configuration,
        };
    }

    private static JsonObject Turn(string role, string text) =>
        new() { ["role"] = role, ["parts"] = new JsonArray(new JsonObject { ["text"] = text }) };
}
