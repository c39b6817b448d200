using FeedbackLoop.Runs;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FeedbackLoop.AdminApi.Problems;

/// <summary>The refusals of this API, each with what was wrong and, where one can, how to mend it.</summary>
internal static class Problem
{
    /// <summary>Also for what the caller may not know of: the words are the same.</summary>
    public static ProblemHttpResult NotFound(string what) =>
        NotFound(what, $"There is no such {what}, or you are not a member of where it belongs.");

    public static ProblemHttpResult NotFound(string what, string detail) =>
        Of(StatusCodes.Status404NotFound, ProblemTypes.NotFound, $"No such {what}", detail);

    public static ProblemHttpResult RoleNeeded(Scope scope) => Of(
        StatusCodes.Status403Forbidden, ProblemTypes.RoleNeeded, "An admin is needed",
        scope.IsGeneral
            ? "You may look at this organization. Changing it takes an organization admin."
            : "You may look at this project. Changing it takes a project admin or an organization admin.");

    public static ProblemHttpResult Invalid(IReadOnlyList<FieldError> errors) => TypedResults.Problem(
        type: ProblemTypes.Invalid,
        statusCode: StatusCodes.Status400BadRequest,
        title: "The request is not valid",
        detail: string.Join("; ", errors.Select(error => error.Message)),
        extensions: new Dictionary<string, object?>
        {
            ["errors"] = errors
                .GroupBy(error => error.Field)
                .ToDictionary(group => group.Key, group => group.Select(error => error.Message).ToArray()),
        });

    public static ProblemHttpResult Of(
        int status, string type, string title, string detail, params (string Name, object? Value)[] extensions) =>
        TypedResults.Problem(
            type: type, statusCode: status, title: title, detail: detail,
            extensions: extensions.ToDictionary(each => each.Name, each => each.Value));
}
