using System.Text.Json;
using FeedbackLoop.Infra.Provider.Protocol;
using Google.Protobuf;
using Grpc.Core;

namespace FeedbackLoop.Infra.Provider;

/// <summary>
/// A plan leaves unknown what Google decides, and an apply fills it with something of its type. Nothing is ever found to be
/// different from the state.
/// </summary>
internal sealed class ProviderService(ProviderSchema schema) : Protocol.Provider.ProviderBase
{
    public override Task<SchemaAnswer> GetProviderSchema(Empty request, ServerCallContext context)
    {
        var answer = new SchemaAnswer
        {
            Provider = ProviderSchema.ToMessage(schema.Provider),
            ServerCapabilities = new() { GetProviderSchemaOptional = true },
        };
        foreach (var (name, block) in schema.Resources)
        {
            answer.ResourceSchemas[name] = ProviderSchema.ToMessage(block);
        }

        foreach (var (name, block) in schema.DataSources)
        {
            answer.DataSourceSchemas[name] = ProviderSchema.ToMessage(block);
        }

        return Task.FromResult(answer);
    }

    public override Task<ProviderConfigAnswer> ValidateProviderConfig(ProviderConfig request, ServerCallContext context) =>
        Task.FromResult(new ProviderConfigAnswer());

    public override Task<Findings> ValidateResourceConfig(TypedConfig request, ServerCallContext context)
    {
        var config = Decode(request.Config);
        var findings = new Findings();
        CheckAllowed(schema.Resources[request.TypeName], config, [], findings);
        foreach (var problem in ConfigurationRules.Check(request.TypeName, config))
        {
            findings.Diagnostics.Add(Error(problem, []));
        }

        return Task.FromResult(findings);
    }

    public override Task<Findings> ValidateDataResourceConfig(TypedConfig request, ServerCallContext context)
    {
        var findings = new Findings();
        CheckAllowed(schema.DataSources[request.TypeName], Decode(request.Config), [], findings);
        return Task.FromResult(findings);
    }

    public override Task<Findings> ConfigureProvider(ConfigureRequest request, ServerCallContext context) =>
        Task.FromResult(new Findings());

    public override Task<UpgradeAnswer> UpgradeResourceState(UpgradeRequest request, ServerCallContext context) =>
        Task.FromResult(new UpgradeAnswer { UpgradedState = new() { Json = request.RawState.Json } });

    public override Task<ReadAnswer> ReadResource(ReadRequest request, ServerCallContext context) =>
        Task.FromResult(new ReadAnswer { NewState = request.CurrentState, Private = request.Private });

    public override Task<PlanAnswer> PlanResourceChange(PlanRequest request, ServerCallContext context)
    {
        var isNew = Decode(request.PriorState) is Value.Nothing;
        var planned = Plan(schema.Resources[request.TypeName], Decode(request.ProposedNewState), isNew);
        return Task.FromResult(new PlanAnswer { PlannedState = Encode(planned), PlannedPrivate = request.PriorPrivate });
    }

    public override Task<ApplyAnswer> ApplyResourceChange(ApplyRequest request, ServerCallContext context)
    {
        var made = Fill(request.TypeName, schema.Resources[request.TypeName], Decode(request.PlannedState), isRead: false);
        return Task.FromResult(new ApplyAnswer { NewState = Encode(made), Private = request.PlannedPrivate });
    }

    public override Task<DataAnswer> ReadDataSource(TypedConfig request, ServerCallContext context)
    {
        var read = Fill(request.TypeName, schema.DataSources[request.TypeName], Decode(request.Config), isRead: true);
        return Task.FromResult(new DataAnswer { State = Encode(read) });
    }

    public override Task<StopAnswer> StopProvider(Empty request, ServerCallContext context) => Task.FromResult(new StopAnswer());

    private static Value Decode(DynamicValue? value) => value is null ? Value.Null : Value.Read(value.Msgpack.Span);

    private static DynamicValue Encode(Value value) => new() { Msgpack = ByteString.CopyFrom(value.ToBytes()) };

    private static Diagnostic Error(string problem, IReadOnlyList<AttributePath.Types.Step> path) => new()
    {
        Severity = Diagnostic.Types.Severity.Error,
        Summary = problem,
        Attribute = new AttributePath { Steps = { path } },
    };

    /// <summary>What a schema does not make Terraform check: attributes that Google decides, and values that are documented.</summary>
    private static void CheckAllowed(
        SchemaBlock block, Value value, IReadOnlyList<AttributePath.Types.Step> path, Findings findings)
    {
        if (value is not Value.Members members)
        {
            return;
        }

        foreach (var attribute in block.Attributes)
        {
            var here = members[attribute.Name];
            IReadOnlyList<AttributePath.Types.Step> at = [.. path, new() { AttributeName = attribute.Name }];
            if (!attribute.IsOptional && !attribute.IsRequired && here is not Value.Nothing)
            {
                findings.Diagnostics.Add(Error($"{attribute.Name} is decided by Google", at));
            }

            IReadOnlyList<Value> given = here is Value.Items list ? list.All : [here];
            foreach (var text in given.OfType<Value.Text>())
            {
                if (attribute.Allowed is { } allowed && text.Content != "" && !allowed.Contains(text.Content))
                {
                    findings.Diagnostics.Add(
                        Error($"{attribute.Name} is one of {string.Join(", ", allowed)}, not '{text.Content}'", at));
                }
            }
        }

        foreach (var nested in block.Nested)
        {
            IReadOnlyList<AttributePath.Types.Step> at = [.. path, new() { AttributeName = nested.Name }];
            foreach (var item in members[nested.Name] is Value.Items items ? items.All : [members[nested.Name]])
            {
                CheckAllowed(nested.Block, item, at, findings);
            }
        }
    }

    private static Value Plan(SchemaBlock block, Value value, bool isNew) => Change(block, value, (attribute, here, _) =>
        attribute.IsWriteOnly ? Value.Null
        : isNew && attribute.IsComputed && here is Value.Nothing ? Value.Unknown
        : here);

    private static Value Fill(string type, SchemaBlock block, Value value, bool isRead) =>
        Change(block, value, (attribute, here, of) =>
            here is Value.NotKnown || (isRead && attribute.IsComputed && here is Value.Nothing)
                ? Invention.Of(type, attribute, of)
                : here);

    private static Value Change(
        SchemaBlock block, Value value, Func<SchemaAttribute, Value, Value.Members, Value> change)
    {
        if (value is not Value.Members members)
        {
            return value is Value.NotKnown ? Value.Null : value;
        }

        var attributes = block.Attributes.ToDictionary(attribute => attribute.Name);
        var nested = block.Nested.ToDictionary(type => type.Name);
        return new Value.Members([.. members.All.Select(member => KeyValuePair.Create(
            member.Key,
            attributes.TryGetValue(member.Key, out var attribute) ? change(attribute, member.Value, members)
            : !nested.TryGetValue(member.Key, out var type) ? member.Value
            : member.Value is Value.Items items
                ? new Value.Items([.. items.All.Select(item => Change(type.Block, item, change))])
            : Change(type.Block, member.Value, change)))]);
    }
}

/// <summary>What Google would have answered, as far as other resources look at it.</summary>
internal static class Invention
{
    private const string Project = "example-training";
    private const string ProjectNumber = "123456789012";

    public static Value Of(string type, SchemaAttribute attribute, Value.Members of) => attribute.Type.ValueKind switch
    {
        JsonValueKind.String => attribute.Type.GetString() switch
        {
            "bool" => new Value.Flag(false),
            "number" => new Value.Number([0]),
            "string" => new Value.Text(TextOf(type, attribute.Name, of)),
            _ => Value.Null,
        },
        _ => attribute.Type[0].GetString() switch
        {
            "map" => new Value.Members([]),
            "object" => Value.Null,
            _ => new Value.Items([]),
        },
    };

    private static string TextOf(string type, string attribute, Value.Members of)
    {
        string Given(string name) => of[name] is Value.Text { Content: not "" } text ? text.Content : name;
        var email = $"{Given("account_id")}@{Project}.iam.gserviceaccount.com";
        return (type, attribute) switch
        {
            (_, "project" or "project_id") => Project,
            (_, "number") => ProjectNumber,
            ("google_service_account", "email") => email,
            ("google_service_account", "member") => $"serviceAccount:{email}",
            ("google_service_account", "name" or "id") => $"projects/{Project}/serviceAccounts/{email}",
            ("google_pubsub_topic", "id") => $"projects/{Project}/topics/{Given("name")}",
            ("google_pubsub_subscription", "id") => $"projects/{Project}/subscriptions/{Given("name")}",
            ("google_project_iam_custom_role", "id") => $"projects/{Project}/roles/{Given("role_id")}",
            ("google_secret_manager_secret_version", "version") => "1",
            ("google_cloud_run_v2_service", "uri") => $"https://{Given("name")}-{ProjectNumber}.{Given("location")}.run.app",
            _ => $"{type}/{Given("name")}/{attribute}",
        };
    }
}
