namespace FeedbackLoop.Lineage;

/// <summary>
/// The one list of places where this installation keeps text, and what a forgetting does about each. A test holds it
/// against the columns of schema <c>ml</c> and against the files of a run, so that no new place is forgotten.
/// </summary>
/// <remarks>
/// Nothing else keeps any: processes hold models and prompts in memory, not documents; messages and spans carry ids.
/// Backups of the database and what a bucket keeps of deleted objects end by their own retention.
/// </remarks>
public static class KeptText
{
    /// <summary>Why a column holds nothing of a document.</summary>
    private const string Word = "one of our own words, or a name of ours";
    private const string Reason = "our own words with numbers and ids; those of other services about our requests";
    private const string Person = "typed by a person about a decision";
    private const string Place = "an address of ours";
    private const string Digest = "a hash of files, prompts or requests";
    private const string Settings = "criteria and tuning parameters";
    private const string Jobs = "names, labels, states and times of tuning jobs";
    private const string Figures = "numbers by types, without texts";
    private const string TypeNames = "types are the project's vocabulary and stay; see docs/decisions/0065";

    /// <summary>What is done about a column that does.</summary>
    private const string Rewritten = "rewritten: files, hashes and figures without the document";
    private const string Removed = "its rows are removed";
    private const string Cleared = "overwritten for the document's extractions";

    /// <summary>Columns of text, JSON or bytes, by table of <c>ml</c>.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Columns { get; } =
        new Dictionary<string, IReadOnlyDictionary<string, string>>
        {
            ["audit_log"] = Of((Word, "action actor subject"), (Settings, "parameters"), (Person, "reason")),
            ["confirmed_empty"] = Of((Word, "confirmed_by")),
            ["counted_objects"] = Of((TypeNames, "entity_type")),
            ["counted_projects"] = Of((Word, "rules")),
            ["dataset_examples"] = Of((Removed, "content_hash"), (Word, "split")),
            ["datasets"] = Of(
                (Digest, "prompt_hash"),
                (Rewritten, "statistics test_sha256 test_uri train_sha256 train_uri validation_sha256 validation_uri"),
                (Place, "uri")),
            ["evaluation_answers"] = Of((Word, "compared_with"), (Removed, "content_hash problem score")),
            ["extraction_results"] = Of(
                (Word, "answered_tier base_model chosen_tier model_version"),
                (Reason, "chosen_reason fallbacks"),
                (Figures, "dropped"),
                (Place, "endpoint"),
                (Cleared, "problem"),
                (Digest, "prompt_hash")),
            ["fine_tuned_models"] = Of(
                (Word, "base_model checkpoints model_type status taint_reason verdict"),
                (Figures, "evaluation_metrics tuning_statistics"),
                (Digest, "prompt_hash"),
                (Reason, "status_reason verdict_reason"),
                (Rewritten, "training_dataset_uri"),
                (Place, "tuning_job vertex_endpoint vertex_model")),
            ["forgotten_documents"] = Of((Person, "reason"), (Word, "requested_by"), (Reason, "waits_for")),
            ["idempotency_keys"] = Of(
                (Word, "actor"),
                ("chosen by a client for its request", "key"),
                (Digest, "request_sha256")),
            ["knowledge_changes"] = Of((Word, "subject")),
            ["model_evaluations"] = Of(
                (Word, "base_model compared_with"),
                (Figures, "comparison scores"),
                (Place, "endpoint"),
                (Reason, "problem")),
            ["model_taints"] = Of((Word, "cause")),
            ["monthly_tokens"] = Of((Word, "base_model kind")),
            ["object_counts"] = Of((TypeNames, "entity_type")),
            ["objects_to_delete"] = Of((Place, "uri")),
            ["outbox"] = Of((Word, "dedup_key status topic trace_parent"), (Reason, "last_error"), ("ids", "payload")),
            ["preflights"] = Of((Figures, "report"), (Word, "requested_by")),
            ["rejected_messages"] = Of(
                ("a message, of which ours carry ids alone", "body"),
                (Word, "message_id topic"),
                (Reason, "reason")),
            ["run_events"] = Of((Reason, "reason"), (Word, "state")),
            ["spending_stops"] = Of((Person, "reason"), (Word, "resumed_by stopped_by")),
            ["training_runs"] = Of(
                (Word, "approved_by ends_as purpose requested_by state trace_parent trigger"),
                (Jobs, "listing"),
                (Settings, "parameters"),
                (Figures, "progress"),
                (Reason, "reason")),
            ["training_schedules"] = Of(
                (Word, "cron_expression last_decision pii_floor time_zone"),
                (Reason, "last_decision_reason"),
                (Settings, "parameters")),
            ["tuning_attempts"] = Of(
                (Word, "base_model closed_by run_label state status_code"),
                (Person, "closed_reason"),
                (Place, "dataset_uri pre_tuned_model tuning_job vertex_parent"),
                (Reason, "detail"),
                (Digest, "request_sha256")),
            ["tuning_listings"] = Of((Jobs, "state"), (Word, "purpose"), (Place, "vertex_parent")),
            ["unrecorded_exports"] = Of((Reason, "last_error"), (Place, "uri")),
        };

    /// <summary>What a run stores, by the end of its name.</summary>
    public static IReadOnlyDictionary<string, string> Files { get; } = new Dictionary<string, string>
    {
        [Datasets.DatasetFiles.Train] = "rewritten; an attempt's copy is erased",
        [Datasets.DatasetFiles.Validation] = Rewritten,
        [Datasets.DatasetFiles.Test] = Rewritten,
        [Datasets.DatasetFiles.Metadata] = Rewritten,
    };

    /// <param name="columns">With a space between each two.</param>
    private static Dictionary<string, string> Of(params (string How, string Columns)[] columns) => columns
        .SelectMany(each => each.Columns.Split(' ').Select(column => (column, each.How)))
        .ToDictionary(each => each.column, each => each.How);
}
