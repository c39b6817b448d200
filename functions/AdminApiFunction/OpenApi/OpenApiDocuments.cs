using FeedbackLoop.Access;
using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.AdminApi.Runs;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace FeedbackLoop.AdminApi.OpenApi;

/// <summary>The description of this API for clients: what the routes say, and what holds for all of them.</summary>
internal static class OpenApiDocuments
{
    private const string Bearer = "bearer";

    public static void AddOpenApiDocument(this IServiceCollection services) => services.AddOpenApi(options =>
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new()
            {
                Title = "Extraction feedback loop",
                Version = "1",
                Description =
                    "Reviewed extractions to training data, tuned models and the choice between them. Every route answers "
                    + "with and without the prefix /api. Refusals are RFC 9457 problems; switch on their type.",
            };
            document.Servers = [];
            document.Components ??= new();
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                [Bearer] = new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.Http,
                    Scheme = Bearer,
                    BearerFormat = "JWT",
                    Description = "An access token of the installation's OpenID Connect issuer.",
                },
            };
            return Task.CompletedTask;
        });
        options.AddOperationTransformer(DescribeAsync);
        options.AddSchemaTransformer(ClosedVocabularies.DescribeAsync);
    });

    private static Task DescribeAsync(
        OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        if (metadata.OfType<IAllowAnonymous>().Any())
        {
            return Task.CompletedTask;
        }

        var role = metadata.OfType<RouteRole>().Last().Role;
        operation.Description = role switch
        {
            ScopeRole.Admin => "For admins of the scope.",
            ScopeRole.Member => "For members of the scope.",
            _ => "For everybody whom the product knows.",
        };
        operation.Security = [new() { [new OpenApiSecuritySchemeReference(Bearer, context.Document)] = [] }];
        if (metadata.OfType<StartsWork>().Any())
        {
            operation.Parameters ??= [];
            operation.Parameters.Add(new OpenApiParameter
            {
                Name = RequestKey.Header,
                In = ParameterLocation.Header,
                Description = "1 to 200 printable characters. The same key and body get the same answer, and start nothing again.",
                Schema = new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = 200 },
            });
        }

        operation.Responses ??= [];
        operation.Responses["default"] = new OpenApiResponse
        {
            Description = "Refused: a problem with type, title, detail and traceId.",
            Content = new Dictionary<string, OpenApiMediaType>
            {
                ["application/problem+json"] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.Object } },
            },
        };
        return Task.CompletedTask;
    }
}
