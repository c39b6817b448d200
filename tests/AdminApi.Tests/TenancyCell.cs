namespace FeedbackLoop.AdminApi.Tests;

/// <summary>What one kind of caller gets from one route about one target.</summary>
/// <param name="Route">As the route table has it; a query behind it names the parameter that carries the target.</param>
/// <param name="Expected"><c>401</c>, <c>403</c>, <c>404</c>, or <c>ok</c>: whatever the route has to say to whom it is for.</param>
internal sealed record TenancyCell(string Method, string Route, string Target, string Person, string Expected)
{
    public string Pattern => Route.Split('?')[0];

    public string? Query => Route.Split('?') is [_, var query] ? query : null;

    public static IReadOnlyList<TenancyCell> ReadAll()
    {
        var lines = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "tenancy.csv"));
        var people = lines[0].Split(',')[3..];
        return
        [
            .. from line in lines[1..]
               let columns = line.Split(',')
               from each in people.Zip(columns[3..])
               select new TenancyCell(columns[0], columns[1], columns[2], each.First, each.Second),
        ];
    }
}
