namespace FeedbackLoop.Lineage;

/// <summary>Why a model should not have learnt from a document, as <c>ml.model_taints.cause</c> has it.</summary>
public static class TaintCause
{
    /// <summary>An operator had it forgotten.</summary>
    public const string Forgotten = "forgotten";

    /// <summary>The product has deleted it.</summary>
    public const string Deleted = "deleted";
}
