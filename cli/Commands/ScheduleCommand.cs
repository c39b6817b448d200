using System.CommandLine;
using FeedbackLoop.Cli.Commands.Schedules;

namespace FeedbackLoop.Cli.Commands;

/// <summary>The commands about schedules.</summary>
internal static class ScheduleCommand
{
    public static Command Create(TimeProvider time) =>
        new("schedule", "Shows, sets and replays the schedules of trainings.")
        {
            new ScheduleShowCommand(time),
            new ScheduleSetCommand(time),
            new ScheduleSimulateCommand(time),
            new SyncJobsCommand(time),
        };
}
