using System.ComponentModel.DataAnnotations;
using System.Reflection;

namespace FeedbackLoop.Runs;

/// <summary>What is wrong with one field of a request.</summary>
/// <param name="Field">As the sender wrote it, such as <c>export.minConfidence</c>.</param>
/// <param name="Message">Names the field, the limit and the value.</param>
public sealed record FieldError(string Field, string Message);

/// <summary>The limits that the annotations of <see cref="RunParameters"/> state, in words with the value.</summary>
public static class ParameterRules
{
    private const int LongestModelId = 100;

    private static readonly IReadOnlyList<(PropertyInfo Property, ValidationAttribute Limit)> ExportLimits =
        LimitsOf(typeof(ExportCriteria));

    private static readonly IReadOnlyList<(PropertyInfo Property, ValidationAttribute Limit)> TuningLimits =
        LimitsOf(typeof(TuningParameters));

    /// <returns>Empty when all is well.</returns>
    public static IReadOnlyList<FieldError> Check(RunParameters parameters) =>
    [
        .. Check("export", parameters.Export, ExportLimits),
        .. Check("tuning", parameters.Tuning, TuningLimits),
        .. CheckBaseModel(parameters.Tuning.BaseModel),
    ];

    // Whether there is such a model, the catalogue knows.
    private static IEnumerable<FieldError> CheckBaseModel(string? id) =>
        id is null || (id.Length is > 0 and <= LongestModelId && id.All(c => c is > ' ' and <= '~'))
            ? []
            : [new FieldError(
                "tuning.baseModel",
                $"tuning.baseModel must be 1 to {LongestModelId} printable ASCII characters without spaces, and has {id.Length}")];

    private static IEnumerable<FieldError> Check(
        string prefix, object part, IReadOnlyList<(PropertyInfo Property, ValidationAttribute Limit)> limits) =>
        from each in limits
        let value = each.Property.GetValue(part)
        where !each.Limit.IsValid(value)
        let field = $"{prefix}.{char.ToLowerInvariant(each.Property.Name[0])}{each.Property.Name[1..]}"
        select new FieldError(field, FormattableString.Invariant($"{field} must be {Words(each.Limit)}, and is {value}"));

    private static string Words(ValidationAttribute limit) => limit switch
    {
        RangeAttribute range => FormattableString.Invariant($"from {range.Minimum} to {range.Maximum}"),
        AllowedValuesAttribute allowed => $"one of {string.Join(", ", allowed.Values.Where(value => value is not null))}",
        _ => throw new InvalidOperationException($"no words for {limit.GetType().Name}"),
    };

    private static (PropertyInfo, ValidationAttribute)[] LimitsOf(Type type) =>
        [.. from property in type.GetProperties()
            from limit in property.GetCustomAttributes<ValidationAttribute>()
            select (property, limit)];
}
