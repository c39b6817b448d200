namespace FeedbackLoop.AdminApi.Problems;

/// <summary>The <c>type</c> of each refusal. A client switches on it, so a type never changes its meaning.</summary>
internal static class ProblemTypes
{
    private const string Prefix = "urn:feedback-loop:";

    /// <summary>400: one or more fields are wrong; <c>errors</c> names each.</summary>
    public const string Invalid = Prefix + "invalid-request";

    /// <summary>401: no token, or one that is refused.</summary>
    public const string Unauthenticated = Prefix + "unauthenticated";

    /// <summary>403: the token is good, and the product does not know its person.</summary>
    public const string UnknownPerson = Prefix + "unknown-person";

    /// <summary>403: visible, but the role does not allow it.</summary>
    public const string RoleNeeded = Prefix + "role-needed";

    /// <summary>404: there is none, or the caller may not know of it.</summary>
    public const string NotFound = Prefix + "not-found";

    /// <summary>409: the scope has a run of that purpose that is not over; <c>runId</c> and <c>href</c> name it.</summary>
    public const string RunLive = Prefix + "run-live";

    /// <summary>409: the run is over, or rests with an operator.</summary>
    public const string RunOver = Prefix + "run-over";

    /// <summary>409: the run does not wait for an approval, or for one of another sum; <c>estimatedUsd</c> is the sum.</summary>
    public const string NothingToApprove = Prefix + "nothing-to-approve";

    /// <summary>409: the model's status, in <c>modelStatus</c>, does not allow it.</summary>
    public const string ModelStatus = Prefix + "model-status";

    /// <summary>409: the files are not there yet, or will never be.</summary>
    public const string NoFiles = Prefix + "no-files";

    /// <summary>409: a text is not empty, or cannot be said to be; <c>extractionStatus</c> and <c>objects</c> say why.</summary>
    public const string NotEmpty = Prefix + "not-empty";

    /// <summary>412: somebody else has saved meanwhile; <c>version</c> is the schedule's.</summary>
    public const string ScheduleChanged = Prefix + "schedule-changed";

    /// <summary>428: the request must name the version that it changes.</summary>
    public const string PreconditionRequired = Prefix + "precondition-required";

    /// <summary>413, 415, 405 and the like: what HTTP itself refuses.</summary>
    public const string Http = Prefix + "http";

    /// <summary>
    /// 422: fewer examples than a training needs; <c>examples</c> and <c>minimum</c> say how many, and <c>excluded</c> what was
    /// left out, by reason, when the data was checked.
    /// </summary>
    public const string TooLittleData = Prefix + "too-little-data";

    /// <summary>422: Vertex AI would not take the files; <c>excluded</c> says what was left out already.</summary>
    public const string DatasetLimits = Prefix + "dataset-limits";

    /// <summary>422: there is more data than a request can check.</summary>
    public const string PreflightTime = Prefix + "preflight-time";

    /// <summary>
    /// 422: everything is stopped, the organization's monthly limit is used up, or a model has no price to hold against it.
    /// </summary>
    public const string Spending = Prefix + "spending";

    /// <summary>422: the base model cannot be tuned like that.</summary>
    public const string BaseModel = Prefix + "base-model";

    /// <summary>422: the model was evaluated as worse, in <c>verdict</c>; it is promoted with a reason only.</summary>
    public const string ReasonNeeded = Prefix + "reason-needed";

    /// <summary>422: the Idempotency-Key belongs to a request that said something else.</summary>
    public const string KeyReused = Prefix + "idempotency-key-reused";

    /// <summary>
    /// 429: the scope has begun as many trainings within 24 hours as it may; <c>runs</c>, <c>limit</c> and <c>nextAt</c> say when
    /// the next one may.
    /// </summary>
    public const string RunsPerDay = Prefix + "runs-per-day";

    /// <summary>429: too many requests; <c>Retry-After</c> says when to come again.</summary>
    public const string RateLimit = Prefix + "rate-limit";

    /// <summary>500: our fault. The trace id leads to the log.</summary>
    public const string Internal = Prefix + "internal";

    /// <summary>502: Cloud Storage did not hand the file out.</summary>
    public const string Storage = Prefix + "storage";

    /// <summary>503: the database or the token issuer cannot be reached; repeat later.</summary>
    public const string Unavailable = Prefix + "unavailable";
}
