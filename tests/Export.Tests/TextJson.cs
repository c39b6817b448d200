using System.Text.Json.Serialization;

namespace FeedbackLoop.Export.Tests;

[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class TextJson : JsonSerializerContext;
