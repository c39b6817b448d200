namespace FeedbackLoop.Datasets;

/// <summary>Lets examples through to their files while every share and limit holds in what has been written.</summary>
internal sealed class ExampleQuotas(EmptyQuota empty, ContributorQuota contributors, ValidationQuota validation)
{
    /// <returns>
    /// What is to be written now, in this order. Each line stands in its file when the next one is asked for: what waited goes
    /// after the line that makes room for it.
    /// </returns>
    public IEnumerable<ExampleLine> Pass(ExampleLine line)
    {
        var lines = new Queue<ExampleLine>(empty.Passes(line) ? contributors.Pass(line) : []);
        while (lines.TryDequeue(out var passed))
        {
            foreach (var written in validation.Pass(passed))
            {
                yield return written;
                foreach (var released in contributors.Written(written))
                {
                    lines.Enqueue(released);
                }

                foreach (var released in empty.Written(written) is { } fits ? contributors.Pass(fits) : [])
                {
                    lines.Enqueue(released);
                }
            }
        }
    }

    public void CountSurplus(DatasetStatistics statistics)
    {
        statistics.Exclude(Examples.ExclusionReason.EmptyShare, empty.Surplus);
        statistics.Exclude(Examples.ExclusionReason.ContributorShare, contributors.Surplus);
        statistics.Exclude(Examples.ExclusionReason.ValidationFull, validation.Surplus);
    }
}
