using FeedbackLoop.Tuning;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Spending;

/// <summary>What the sums of a month are read with: the installation's settings, and the prices of its catalogue.</summary>
public sealed class SpendingTerms(SpendingOptions options, BaseModelCatalogue catalogue)
{
    public SpendingOptions Options => options;

    /// <summary>Of each model that answers, as it is and tuned; one without a price is not among them.</summary>
    public IReadOnlyList<ServingPrice> Prices { get; } =
    [
        .. catalogue.Models.SelectMany(model => new[] { false, true }.Select(isTuned => (model.Id, isTuned)))
            .Where(each => catalogue.FindServingPrice(each.Id, each.isTuned) is not null)
            .Select(each => new ServingPrice(
                each.Id, each.isTuned, catalogue.FindServingPrice(each.Id, each.isTuned)!.Value)), // not null by the line above
    ];
}

/// <param name="BaseModel">Of the catalogue.</param>
/// <param name="IsTuned">Whether it is the price of what was tuned from it.</param>
public readonly record struct ServingPrice(string BaseModel, bool IsTuned, TokenPrice Price);

/// <summary>What a deployable needs to read, or to keep, a limit.</summary>
public static class SpendingServices
{
    /// <summary>The catalogue comes with <see cref="TuningServices.AddTuning"/>.</summary>
    public static IServiceCollection AddSpending(this IServiceCollection services)
    {
        services.AddOptions<SpendingOptions>().BindConfiguration(SpendingOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<SpendingOptions>, SpendingOptionsValidator>();
        services.AddSingleton(provider => new SpendingTerms(
            provider.GetRequiredService<IOptions<SpendingOptions>>().Value,
            provider.GetRequiredService<IOptions<BaseModelCatalogue>>().Value));
        return services;
    }
}
