using System.IO.Compression;
using System.Text.Json;
using FeedbackLoop.Infra.Provider.Protocol;
using Google.Protobuf;

namespace FeedbackLoop.Infra.Provider;

/// <param name="Allowed">Values that the provider's documentation names; null when it names none.</param>
internal sealed record SchemaAttribute(
    string Name, JsonElement Type, bool IsRequired, bool IsOptional, bool IsComputed, bool IsWriteOnly,
    IReadOnlyList<string>? Allowed);

internal sealed record SchemaNested(string Name, string Mode, int Least, int Most, SchemaBlock Block);

internal sealed record SchemaBlock(IReadOnlyList<SchemaAttribute> Attributes, IReadOnlyList<SchemaNested> Nested);

/// <summary>The schema in the form that <c>terraform providers schema -json</c> prints, gzipped.</summary>
internal sealed record ProviderSchema(
    string Address, SchemaBlock Provider, IReadOnlyDictionary<string, SchemaBlock> Resources,
    IReadOnlyDictionary<string, SchemaBlock> DataSources)
{
    public static ProviderSchema Load(string file)
    {
        using var packed = File.OpenRead(file);
        using var unpacked = new GZipStream(packed, CompressionMode.Decompress);
        using var document = JsonDocument.Parse(unpacked);
        var provider = document.RootElement.GetProperty("provider_schemas").EnumerateObject().First();
        return new(
            provider.Name,
            ReadBlock(provider.Value.GetProperty("provider").GetProperty("block")),
            ReadAll(provider.Value.GetProperty("resource_schemas")),
            ReadAll(provider.Value.GetProperty("data_source_schemas")));
    }

    public static Schema ToMessage(SchemaBlock block) => new() { Block = ToBlock(block) };

    private static Dictionary<string, SchemaBlock> ReadAll(JsonElement schemas) =>
        schemas.EnumerateObject().ToDictionary(schema => schema.Name, schema => ReadBlock(schema.Value.GetProperty("block")));

    private static SchemaBlock ReadBlock(JsonElement block) => new(
        block.TryGetProperty("attributes", out var attributes)
            ? [.. attributes.EnumerateObject().Select(attribute => ReadAttribute(attribute.Name, attribute.Value))]
            : [],
        block.TryGetProperty("block_types", out var nested)
            ? [.. nested.EnumerateObject().Select(type => new SchemaNested(
                type.Name, type.Value.GetProperty("nesting_mode").GetString() ?? "list", Number(type.Value, "min_items"),
                Number(type.Value, "max_items"), ReadBlock(type.Value.GetProperty("block"))))]
            : []);

    private static SchemaAttribute ReadAttribute(string name, JsonElement attribute) => new(
        name, attribute.GetProperty("type").Clone(), Is(attribute, "required"), Is(attribute, "optional"),
        Is(attribute, "computed"), Is(attribute, "write_only") || Is(attribute, "x_write_only"),
        attribute.TryGetProperty("x_enum", out var allowed)
            ? [.. allowed.EnumerateArray().Select(value => value.GetString() ?? "")]
            : null);

    private static bool Is(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.GetBoolean();

    private static int Number(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? value.GetInt32() : 0;

    private static Schema.Types.Block ToBlock(SchemaBlock block) => new()
    {
        Attributes =
        {
            block.Attributes.Select(attribute => new Schema.Types.Attribute
            {
                Name = attribute.Name,
                Type = ByteString.CopyFromUtf8(attribute.Type.GetRawText()),
                Required = attribute.IsRequired,
                Optional = attribute.IsOptional,
                Computed = attribute.IsComputed,
                WriteOnly = attribute.IsWriteOnly,
            }),
        },
        BlockTypes =
        {
            block.Nested.Select(nested => new Schema.Types.NestedBlock
            {
                TypeName = nested.Name,
                Block = ToBlock(nested.Block),
                MinItems = nested.Least,
                MaxItems = nested.Most,
                Nesting = nested.Mode switch
                {
                    "single" => Schema.Types.NestedBlock.Types.NestingMode.Single,
                    "set" => Schema.Types.NestedBlock.Types.NestingMode.Set,
                    "map" => Schema.Types.NestedBlock.Types.NestingMode.Map,
                    _ => Schema.Types.NestedBlock.Types.NestingMode.List,
                },
            }),
        },
    };
}
