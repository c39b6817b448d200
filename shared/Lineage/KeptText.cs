namespace FeedbackLoop.Lineage;

/// <summary>
/// The one list of places where this installation keeps text, and what a forgetting does about each. A test holds it against the
/// columns of schema <c>ml</c> and against the files of a run, so that no new place is forgotten.
/// </summary>
/// <remarks>
/// Nothing else keeps any: processes hold models and prompts in memory, not documents; messages and spans carry ids. Backups of the
/// database and what a bucket keeps of deleted objects end by their own retention.
/// </remarks>
public static class KeptText
{
    /// <summary>Why a column holds nothing of a document.</summary>
    private const string Word = "one of our own words, or a name of ours";
    private const string Reason = "our own words with numbers and ids; those of other services about our requests";
    private const string Person = "typed by a person about a decision";
    private const string Place = "an address of ours";
    private const string Digest = "a hash of files, prompts or requests";
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
            ["audit_log"] = new Dictionary<string, string>
            {
                ["action"] = Word, ["actor"] = Word, ["reason"] = Person, ["subject"] = Word,
            },
            ["confirmed_empty"] = new Dictionary<string, string> { ["confirmed_by"] = Word },
            ["counted_objects"] = new Dictionary<string, string> { ["entity_type"] = TypeNames },
            ["counted_projects"] = new Dictionary<string, string> { ["rules"] = Word },
            ["dataset_examples"] = new Dictionary<string, string> { ["content_hash"] = Removed, ["split"] = Word },
            ["datasets"] = new Dictionary<string, string>
            {
                ["prompt_hash"] = Digest, ["statistics"] = Rewritten, ["test_sha256"] = Rewritten, ["test_uri"] = Rewritten,
                ["train_sha256"] = Rewritten, ["train_uri"] = Rewritten, ["uri"] = Place, ["validation_sha256"] = Rewritten,
                ["validation_uri"] = Rewritten,
            },
            ["evaluation_answers"] = new Dictionary<string, string>
            {
                ["compared_with"] = Word, ["problem"] = Removed, ["score"] = Removed,
            },
            ["extraction_results"] = new Dictionary<string, string>
            {
                ["answered_tier"] = Word, ["base_model"] = Word, ["chosen_reason"] = Reason, ["chosen_tier"] = Word,
                ["dropped"] = Figures, ["endpoint"] = Place, ["fallbacks"] = Reason, ["model_version"] = Word,
                ["problem"] = Cleared, ["prompt_hash"] = Digest,
            },
            ["fine_tuned_models"] = new Dictionary<string, string>
            {
                ["base_model"] = Word, ["checkpoints"] = Word, ["evaluation_metrics"] = Figures, ["model_type"] = Word,
                ["prompt_hash"] = Digest, ["status"] = Word, ["status_reason"] = Reason, ["taint_reason"] = Word,
                ["training_dataset_uri"] = Rewritten, ["tuning_job"] = Place, ["tuning_statistics"] = Figures, ["verdict"] = Word,
                ["verdict_reason"] = Reason, ["vertex_endpoint"] = Place, ["vertex_model"] = Place,
            },
            ["forgotten_documents"] = new Dictionary<string, string>
            {
                ["reason"] = Person, ["requested_by"] = Word, ["waits_for"] = Reason,
            },
            ["idempotency_keys"] = new Dictionary<string, string>
            {
                ["actor"] = Word, ["key"] = "chosen by a client for its request", ["request_sha256"] = Digest,
            },
            ["knowledge_changes"] = new Dictionary<string, string> { ["subject"] = Word },
            ["model_evaluations"] = new Dictionary<string, string>
            {
                ["base_model"] = Word, ["compared_with"] = Word, ["comparison"] = Figures, ["endpoint"] = Place, ["problem"] = Reason,
                ["scores"] = Figures,
            },
            ["model_taints"] = new Dictionary<string, string> { ["cause"] = Word },
            ["object_counts"] = new Dictionary<string, string> { ["entity_type"] = TypeNames },
            ["objects_to_delete"] = new Dictionary<string, string> { ["uri"] = Place },
            ["outbox"] = new Dictionary<string, string>
            {
                ["dedup_key"] = Word, ["payload"] = "ids", ["status"] = Word, ["topic"] = Word, ["trace_parent"] = Word,
            },
            ["preflights"] = new Dictionary<string, string> { ["report"] = Figures, ["requested_by"] = Word },
            ["rejected_messages"] = new Dictionary<string, string>
            {
                ["body"] = "a message, of which ours carry ids alone", ["message_id"] = Word, ["reason"] = Reason, ["topic"] = Word,
            },
            ["run_events"] = new Dictionary<string, string> { ["reason"] = Reason, ["state"] = Word },
            ["spending_stops"] = new Dictionary<string, string>
            {
                ["reason"] = Person, ["resumed_by"] = Word, ["stopped_by"] = Word,
            },
            ["training_runs"] = new Dictionary<string, string>
            {
                ["ends_as"] = Word, ["parameters"] = "criteria and tuning parameters", ["progress"] = Figures, ["purpose"] = Word,
                ["reason"] = Reason, ["requested_by"] = Word, ["state"] = Word, ["trace_parent"] = Word, ["trigger"] = Word,
            },
            ["training_schedules"] = new Dictionary<string, string>
            {
                ["cron_expression"] = Word, ["last_decision"] = Word, ["last_decision_reason"] = Reason,
                ["parameters"] = "criteria and tuning parameters", ["time_zone"] = Word,
            },
            ["tuning_attempts"] = new Dictionary<string, string>
            {
                ["base_model"] = Word, ["closed_by"] = Word, ["closed_reason"] = Person, ["dataset_uri"] = Place, ["detail"] = Reason,
                ["pre_tuned_model"] = Place, ["request_sha256"] = Digest, ["run_label"] = Word, ["state"] = Word,
                ["status_code"] = Word, ["tuning_job"] = Place, ["vertex_parent"] = Place,
            },
        };

    /// <summary>What a run stores, by the end of its name.</summary>
    public static IReadOnlyDictionary<string, string> Files { get; } = new Dictionary<string, string>
    {
        [Datasets.DatasetFiles.Train] = "rewritten; an attempt's copy is erased",
        [Datasets.DatasetFiles.Validation] = Rewritten,
        [Datasets.DatasetFiles.Test] = Rewritten,
        [Datasets.DatasetFiles.Metadata] = Rewritten,
    };
}
