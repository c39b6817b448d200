using FeedbackLoop.Access;
using FeedbackLoop.AdminApi.Problems;
using Microsoft.AspNetCore.Http;
using Npgsql;

namespace FeedbackLoop.AdminApi.Access;

/// <summary>Token to person, at each request: a role that was taken away is gone with the next one.</summary>
internal sealed class PersonLookup(
    RequestDelegate next, NpgsqlDataSource database, TenantConnections connections)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<RouteRole>() is not { } route)
        {
            await next(context);
            return;
        }

        Person? person;
        await using (var db = await database.OpenConnectionAsync(context.RequestAborted))
        {
            person = await db.FindPersonAsync(context.User.Subject(), context.RequestAborted);
        }

        if (person is null)
        {
            await Problem.Of(
                StatusCodes.Status403Forbidden, ProblemTypes.UnknownPerson, "Not known here",
                "You are signed in, but this product has no such person. Sign in to the product once, or ask an admin.")
                .ExecuteAsync(context);
            return;
        }

        context.Features.Set(new Caller(person, route.Role, connections));
        await next(context);
    }
}
