using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.GoogleCloud;

/// <summary>Where Google's services are, bound from the <c>GoogleCloud</c> section.</summary>
/// <remarks>
/// The addresses are for stand-ins and emulators; left out, each client uses Google's own and the credentials of the
/// machine. <c>PUBSUB_EMULATOR_HOST</c> and <c>STORAGE_EMULATOR_HOST</c> are honoured as well.
/// </remarks>
public sealed class GoogleCloudOptions
{
    public const string Section = "GoogleCloud";

    /// <summary>Project that owns topics, buckets and tuning jobs.</summary>
    [Required]
    public string ProjectId { get; init; } = "";

    /// <summary>Region of tuning jobs, such as <c>us-central1</c>.</summary>
    [Required]
    public string Location { get; init; } = "";

    /// <summary>Bucket of the datasets, without <c>gs://</c>.</summary>
    [Required, RegularExpression("[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")]
    public string Bucket { get; init; } = "";

    /// <summary>
    /// The one service account that may create tuning jobs; a token of 300 seconds is taken for it before each creation.
    /// </summary>
    [Required]
    public string TuningServiceAccount { get; init; } = "";

    /// <summary>Value of the label <c>env</c> on tuning jobs: unique per installation within a Google Cloud project.</summary>
    [Required, RegularExpression("[a-z0-9_-]{1,63}")]
    public string Environment { get; init; } = "";

    /// <summary>Address of Vertex AI, for example <c>http://127.0.0.1:8085</c>.</summary>
    public Uri? VertexAddress { get; init; }

    /// <summary>Address of IAM Credentials.</summary>
    public Uri? IamCredentialsAddress { get; init; }

    /// <summary>Address of Cloud Scheduler.</summary>
    public Uri? SchedulerAddress { get; init; }

    /// <summary>Address of Pub/Sub.</summary>
    public Uri? PubSubAddress { get; set; }

    /// <summary>Address of Cloud Storage.</summary>
    public Uri? StorageAddress { get; set; }
}

[OptionsValidator]
public sealed partial class GoogleCloudOptionsValidator : IValidateOptions<GoogleCloudOptions>;
