using System.CommandLine;
using FeedbackLoop.Cli.Arguments;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Knowledge;

namespace FeedbackLoop.Cli.Commands;

/// <param name="IsConfirmed">As it is now.</param>
/// <param name="IsChanged">False: it was so before.</param>
/// <param name="ConfirmedBy">Null when it is not confirmed, like <paramref name="ConfirmedAt"/>.</param>
internal sealed record ConfirmEmptyResult(
    Guid JobId, Guid ProjectId, bool IsConfirmed, bool IsChanged, string? ConfirmedBy, DateTimeOffset? ConfirmedAt);

/// <summary>Records that the text of an extraction holds nothing, so that a model learns to answer so.</summary>
internal sealed class ConfirmEmptyCommand : OperatorCommand
{
    private readonly TimeProvider _time;

    private readonly Option<Guid?> _job = IdOption.Create(
        "--job", "The extraction job whose text holds nothing.", "--job-id");

    private readonly Option<bool> _undo = new("--undo")
    {
        Description = "Take the confirmation back.",
    };

    private readonly Option<string?> _reason = TextOption.Create(
        "--reason", "Why; it stands in the audit log.", "TEXT", maxLength: 500);

    public ConfirmEmptyCommand(TimeProvider time)
        : base(
            "confirm-empty",
            "Records that a person found nothing to find in the text of a completed extraction. The next export takes it as "
            + "an example whose right answer is empty. Twice is as good as once. Refused while an object of the extraction "
            + "is not rejected.")
    {
        _time = time;
        _job.Required = true;
        Options.Add(_job);
        Options.Add(_undo);
        Options.Add(_reason);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "feedbackloop confirm-empty --job 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d13",
        "feedbackloop confirm-empty --job 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d13 --undo --reason \"it names a system\" --json",
    ];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        var job = arguments.GetRequiredValue(_job)!.Value;  // required
        var reason = arguments.GetValue(_reason);
        await using var database = OperatorSettings.Read(arguments).OpenDatabase();
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var scope = await db.FindExtractionScopeAsync(job, cancellationToken)
            ?? throw CommandException.Refused($"there is no extraction job {job}", "Check the id and --database.");
        var project = scope.ProjectId!.Value;  // of an extraction
        if (arguments.GetValue(_undo))
        {
            var wasConfirmed = await db.WithdrawEmptyAsync(
                scope, job, Actor.Name, reason, _time.GetUtcNow(), cancellationToken);
            output.Result(
                new ConfirmEmptyResult(job, project, IsConfirmed: false, wasConfirmed, null, null),
                CliJson.Default.ConfirmEmptyResult,
                [
                    wasConfirmed
                        ? $"The text of extraction {job} is no longer confirmed as empty."
                        : $"The text of extraction {job} was not confirmed as empty.",
                ]);
            return ExitCode.Done;
        }

        var outcome = await db.ConfirmEmptyAsync(scope, job, Actor.Name, reason, _time.GetUtcNow(), cancellationToken);
        var (row, isNew) = outcome switch
        {
            ConfirmEmptyOutcome.Confirmed confirmed => (confirmed.Row, confirmed.IsNew),
            ConfirmEmptyOutcome.Refused refused => throw CommandException.Refused(refused.Reason, remedy: null),
            _ => throw new InvalidOperationException($"unknown outcome {outcome}"),
        };
        output.Result(
            new ConfirmEmptyResult(job, project, IsConfirmed: true, isNew, row.ConfirmedBy, row.ConfirmedAt),
            CliJson.Default.ConfirmEmptyResult,
            [
                isNew
                    ? $"The text of extraction {job} is confirmed as empty."
                    : $"The text of extraction {job} was confirmed as empty before, by {row.ConfirmedBy}.",
                $"Take it back: feedbackloop confirm-empty --job {job} --undo",
            ]);
        return ExitCode.Done;
    }
}
