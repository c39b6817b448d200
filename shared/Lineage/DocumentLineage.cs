using FeedbackLoop.Lineage.Forgetting;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Lineage;

/// <summary>What is asked about.</summary>
public static class LineageSubjectKind
{
    public const string Document = "document";
    public const string Chunk = "chunk";

    /// <summary>
    /// A graph object, by the id of any of its versions or its canonical id: the examples of the extractions that its
    /// versions name.
    /// </summary>
    public const string GraphObject = "object";
}

/// <summary>A document, chunk or object that somebody asks about.</summary>
/// <param name="Kind">One of <see cref="LineageSubjectKind"/>.</param>
/// <param name="Scope">Without a project when its project is gone: then it is the organization's affair.</param>
/// <param name="IsDeleted">The product does not have it any more.</param>
/// <param name="Keys">
/// What its examples have: the document's or the chunk's id, or the extractions of the object.
/// </param>
public sealed record LineageSubject(string Kind, Guid Id, Scope Scope, bool IsDeleted, Guid[] Keys);

/// <summary>A dataset with examples of the subject.</summary>
/// <param name="TrainUri">
/// Where the file is; null when none of its examples is of the subject, like the other two.
/// </param>
/// <param name="TrainExamples">Of the subject, in that file.</param>
public sealed record LineageDataset(
    Guid Id, Guid OrganizationId, Guid? ProjectId, Guid RunId, string Purpose, string RunState, DateTimeOffset SnapshotAt,
    string? TrainUri, int TrainExamples, string? ValidationUri, int ValidationExamples, string? TestUri, int TestExamples);

/// <summary>A model that has learnt from the subject, or is tuned on top of one that has.</summary>
/// <param name="Id">Also the id of the run that made it.</param>
/// <param name="IsDirect">False: only its parent, or the parent's, has.</param>
/// <param name="IsInUse">Extractions use it at this moment.</param>
/// <param name="TaintedSince">Null: nothing that it has learnt from was forgotten or deleted.</param>
public sealed record LineageModel(
    Guid Id, Guid OrganizationId, Guid? ProjectId, int Version, string Status, string BaseModel, Guid? ParentModelId,
    bool IsDirect, bool IsInUse, DateTimeOffset? TaintedSince, string? TaintReason);

/// <summary>What is in scopes that the caller may not see: numbers only.</summary>
public sealed record LineageElsewhere(int Datasets, int Models, int ModelsInUse);

/// <summary>What it would cost to train a scope again whose model in use is tainted.</summary>
/// <param name="ModelId">The model in use.</param>
/// <param name="EstimatedUsd">
/// By the scope's last dataset without what was taken out of it. Null: no price is known.
/// </param>
public sealed record RetrainingCost(Guid OrganizationId, Guid? ProjectId, Guid ModelId, decimal? EstimatedUsd);

/// <summary>Where a document, a chunk or an object went.</summary>
/// <param name="DatasetCount">Of all that the caller may see; <paramref name="Datasets"/> are the latest.</param>
/// <param name="ModelCount">Likewise of <paramref name="Models"/>.</param>
/// <param name="Forgotten">Null unless an operator had the document forgotten.</param>
public sealed record LineageAnswer(
    string Kind, Guid Id, Guid OrganizationId, Guid? ProjectId, bool IsDeleted, LineageForgetting? Forgotten,
    int DatasetCount, IReadOnlyList<LineageDataset> Datasets, int ModelCount, IReadOnlyList<LineageModel> Models,
    LineageElsewhere Elsewhere, IReadOnlyList<RetrainingCost> Retraining);

/// <param name="WaitsFor">What keeps it from being complete, for people.</param>
/// <param name="CompletedAt">Null until no stored file holds the document.</param>
public sealed record LineageForgetting(
    DateTimeOffset RequestedAt, string Reason, int RewrittenDatasets, string? WaitsFor, DateTimeOffset? CompletedAt)
{
    internal static LineageForgetting Of(ForgottenDocument document) => new(
        document.RequestedAt, document.Reason, document.Rewritten, document.WaitsFor, document.CompletedAt);
}
