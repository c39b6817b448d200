using System.Text.RegularExpressions;

namespace FeedbackLoop.Infra.Provider;

/// <summary>What the real provider, or Google, refuses although the schema allows it.</summary>
internal static partial class ConfigurationRules
{
    /// <returns>What is wrong with a resource, in words.</returns>
    public static IEnumerable<string> Check(string type, Value config)
    {
        var problems = type switch
        {
            "google_pubsub_subscription" =>
                [
                    OutOfRange(config, "ack_deadline_seconds", 10, 600),
                    OutOfRange(First(config, "dead_letter_policy"), "max_delivery_attempts", 5, 100),
                    NotLike(config, "message_retention_duration", Seconds()),
                ],
            "google_service_account" => [NotLike(config, "account_id", AccountId())],
            "google_cloud_scheduler_job" => [NotLike(config, "schedule", FiveFields())],
            "google_storage_bucket" =>
                [NotLike(config, "name", BucketName()), OneOf(config, "public_access_prevention", "enforced", "inherited")],
            "google_cloud_run_v2_service" =>
                [OutOfRange(First(config, "template"), "max_instance_request_concurrency", 1, 1000)],
            "google_sql_database_instance" =>
                [
                    OneOf(First(config, "settings"), "edition", "ENTERPRISE", "ENTERPRISE_PLUS"),
                    OneOf(First(config, "settings"), "availability_type", "ZONAL", "REGIONAL"),
                    OneOf(First(First(config, "settings"), "ip_configuration"), "ssl_mode",
                        "ALLOW_UNENCRYPTED_AND_ENCRYPTED", "ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"),
                ],
            "google_compute_url_map" =>
                [
                    First(config, "default_url_redirect") is null && Member(config, "default_service") is Value.Nothing
                        ? "default_service or default_url_redirect is needed"
                        : null,
                ],
            _ when type.EndsWith("_iam_member", StringComparison.Ordinal) => [NotLike(config, "member", IamMember())],
            _ => Array.Empty<string?>(),
        };
        return problems.OfType<string>();
    }

    private static Value Member(Value? of, string name) => of is Value.Members members ? members[name] : Value.Null;

    private static Value? First(Value? of, string block) => Member(of, block) switch
    {
        Value.Items { All: [var first, ..] } => first,
        Value.Members members => members,
        _ => null,
    };

    private static string? OutOfRange(Value? of, string name, double least, double most) =>
        Member(of, name) is Value.Number number && (number.Size < least || number.Size > most)
            ? $"{name} is from {least} to {most}, not {number.Size}"
            : null;

    private static string? NotLike(Value? of, string name, Regex shape) =>
        Member(of, name) is Value.Text text && !shape.IsMatch(text.Content) ? $"{name} cannot be '{text.Content}'" : null;

    private static string? OneOf(Value? of, string name, params string[] allowed) =>
        Member(of, name) is Value.Text text && !allowed.Contains(text.Content)
            ? $"{name} is one of {string.Join(", ", allowed)}, not '{text.Content}'"
            : null;

    [GeneratedRegex("^[0-9]+(\\.[0-9]{1,9})?s$")]
    private static partial Regex Seconds();

    [GeneratedRegex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$")]
    private static partial Regex AccountId();

    [GeneratedRegex("^(\\S+ ){4}\\S+$")]
    private static partial Regex FiveFields();

    [GeneratedRegex("^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$")]
    private static partial Regex BucketName();

    [GeneratedRegex("^(serviceAccount|group|user|domain|principal|principalSet):")]
    private static partial Regex IamMember();
}
