namespace FeedbackLoop.Model.Pipeline;

/// <summary>What no order of events may break.</summary>
internal static class Promises
{
    public const string OneBillableJob = "a run has at most one tuning job that costs money";
    public const string NamedObjectsExist = "the object that ml.datasets names exists, with its hash";
    public const string NoRunFailsForTheList = "no run fails because Vertex AI's list is long";

    public const string RunsEnd = "a run ends, or reaches a person, whatever another one does";
    public const string MessagesGoOut = "a message goes out, whatever another tenant's does";
    public const string PoisonedRunsReachAPerson = "a run that cannot be read reaches a person";
}
