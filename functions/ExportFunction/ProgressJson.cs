using System.Text.Json;
using System.Text.Json.Serialization;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Export;

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ExportProgress))]
internal sealed partial class ProgressJson : JsonSerializerContext;
