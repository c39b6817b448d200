using System.Globalization;
using FeedbackLoop.Access;
using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.AdminApi.Problems;
using FeedbackLoop.Runs;
using FeedbackLoop.Scheduling;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace FeedbackLoop.AdminApi.Schedules;

/// <summary>When trainings start by themselves. A change names the version that it was made from.</summary>
internal static class SchedulesApi
{
    private const string IfMatch = "If-Match";

    public static void MapSchedules(this IEndpointRouteBuilder api)
    {
        var schedules = api.MapGroup("").WithTags("Schedules");
        schedules.MapGet("/projects/{projectId:guid}/training/schedule", ReadProjectAsync)
            .WithName("GetProjectSchedule").Needs(ScopeRole.Member);
        schedules.MapPut("/projects/{projectId:guid}/training/schedule", SaveProjectAsync)
            .WithName("SaveProjectSchedule").Needs(ScopeRole.Admin);
        schedules.MapGet("/organizations/{organizationId:guid}/training/schedule", ReadOrganizationAsync)
            .WithName("GetOrganizationSchedule").Needs(ScopeRole.Member);
        schedules.MapPut("/organizations/{organizationId:guid}/training/schedule", SaveOrganizationAsync)
            .WithName("SaveOrganizationSchedule").Needs(ScopeRole.Admin);
    }

    private static async Task<Results<Ok<ScheduleView>, ProblemHttpResult>> ReadProjectAsync(
        Guid projectId, HttpContext context, Caller caller, SchedulePresenter presenter,
        CancellationToken cancellationToken) =>
        caller.May(
            await caller.FindProjectScopeAsync(projectId, cancellationToken), "project", out var scope, out var refusal)
            ? await ReadAsync(context, caller, scope, presenter, cancellationToken)
            : refusal;

    private static async Task<Results<Ok<ScheduleView>, ProblemHttpResult>> ReadOrganizationAsync(
        Guid organizationId, HttpContext context, Caller caller, SchedulePresenter presenter,
        CancellationToken cancellationToken) =>
        caller.May(new Scope(organizationId, null), "organization", out var scope, out var refusal)
            ? await ReadAsync(context, caller, scope, presenter, cancellationToken)
            : refusal;

    private static async Task<Results<Ok<ScheduleView>, ProblemHttpResult>> SaveProjectAsync(
        Guid projectId, ScheduleSettings input, HttpContext context, Caller caller, SchedulePresenter presenter,
        TimeProvider time, CancellationToken cancellationToken,
        [FromHeader(Name = IfMatch)] string? ifMatch = null) =>
        caller.May(
            await caller.FindProjectScopeAsync(projectId, cancellationToken), "project", out var scope, out var refusal)
            ? await SaveAsync(context, caller, scope, input, ifMatch, presenter, time, cancellationToken)
            : refusal;

    private static async Task<Results<Ok<ScheduleView>, ProblemHttpResult>> SaveOrganizationAsync(
        Guid organizationId, ScheduleSettings input, HttpContext context, Caller caller, SchedulePresenter presenter,
        TimeProvider time, CancellationToken cancellationToken,
        [FromHeader(Name = IfMatch)] string? ifMatch = null) =>
        caller.May(new Scope(organizationId, null), "organization", out var scope, out var refusal)
            ? await SaveAsync(context, caller, scope, input, ifMatch, presenter, time, cancellationToken)
            : refusal;

    private static async Task<Results<Ok<ScheduleView>, ProblemHttpResult>> ReadAsync(
        HttpContext context, Caller caller, Scope scope, SchedulePresenter presenter, CancellationToken cancellationToken)
    {
        Schedule? schedule;
        await using (var db = await caller.OpenAsync(cancellationToken))
        {
            schedule = await db.FindScheduleAsync(scope, cancellationToken);
        }

        return await ShowAsync(context, caller, scope, schedule, presenter, cancellationToken);
    }

    private static async Task<Results<Ok<ScheduleView>, ProblemHttpResult>> SaveAsync(
        HttpContext context, Caller caller, Scope scope, ScheduleSettings input, string? ifMatch,
        SchedulePresenter presenter, TimeProvider time, CancellationToken cancellationToken)
    {
        if (ifMatch is null)
        {
            return Problem.Of(
                StatusCodes.Status428PreconditionRequired, ProblemTypes.PreconditionRequired,
                "The version of the schedule is missing",
                $"Send the ETag of the schedule that you changed as {IfMatch}, so that nobody's change is lost. A schedule "
                + "that nobody has set has the ETag \"0\".");
        }

        if (!TryReadVersion(ifMatch, out var expected))
        {
            return Problem.Invalid([new FieldError(
                IfMatch, $"{IfMatch} must be one ETag of this schedule, such as \"3\", and is {Shown(ifMatch)}")]);
        }

        ScheduleChangeOutcome outcome;
        await using (var db = await caller.OpenAsync(cancellationToken))
        {
            outcome = await db.SaveScheduleAsync(
                scope, input, expected == 0 ? null : expected, caller.Actor, time.GetUtcNow(),
                cancellationToken);
        }

        switch (outcome)
        {
            case ScheduleChangeOutcome.Saved saved:
                return await ShowAsync(context, caller, scope, saved.Schedule, presenter, cancellationToken);
            case ScheduleChangeOutcome.Invalid invalid:
                return Problem.Invalid(invalid.Errors);
            case ScheduleChangeOutcome.Changed changed:
                var version = changed.Current?.RowVersion ?? 0;
                context.Response.Headers.ETag = Tag(version);
                return Problem.Of(
                    StatusCodes.Status412PreconditionFailed, ProblemTypes.ScheduleChanged,
                    "Somebody else has saved meanwhile",
                    $"You changed version {expected} of the schedule, and it has version {version} by now. Read it again, and "
                    + "save your change on top of it.",
                    ("version", version));
            default:
                throw new InvalidOperationException($"unknown outcome {outcome}");
        }
    }

    private static async Task<Ok<ScheduleView>> ShowAsync(
        HttpContext context, Caller caller, Scope scope, Schedule? schedule, SchedulePresenter presenter,
        CancellationToken cancellationToken)
    {
        context.Response.Headers.ETag = Tag(schedule?.RowVersion ?? 0);
        return TypedResults.Ok(await presenter.PresentAsync(caller, scope, schedule, cancellationToken));
    }

    private static string Tag(int version) => string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");

    private static bool TryReadVersion(string tag, out int version)
    {
        version = 0;
        return tag is ['"', .. var digits, '"']
            && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out version);
    }

    private static string Shown(string value) => value.Length <= 50 ? value : value[..50] + "…";
}
