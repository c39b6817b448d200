using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dapper;
using FeedbackLoop.Datasets;
using FeedbackLoop.Local;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Google.Protobuf;

namespace FeedbackLoop.Pipeline.Tests.Pages;

/// <summary><c>docs/data-path.md</c>: one chunk of the sample through the whole chain, with the bytes at each point.</summary>
public sealed partial class DataPathPageTests(PostgresFixture postgres)
{
    private const string SampleChunk = "eg-doc-08#0";

    private const string FirstObject =
        "select * from kb.graph_objects where extraction_job_id = @job order by properties->>'name' limit 1";

    private static readonly JsonFormatter Protobuf = new(JsonFormatter.Settings.Default.WithIndentation());

    // Names in place of what is another value in each run.
    private readonly Dictionary<string, string> _names = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_page_shows_what_becomes_of_one_chunk()
    {
        await using var chain = await Chain.StartAsync(postgres);
        var line = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "sample.jsonl"))
            .Single(each => each.Contains($"\"{SampleChunk}\"", StringComparison.Ordinal));
        var text = JsonDocument.Parse(line).RootElement.GetProperty("text").GetString()!;
        var chunk = await ScalarAsync<Guid>(chain, "select id from kb.chunks where text = @text", new { text });
        var first = new
        {
            chunk,
            job = await ScalarAsync<Guid>(
                chain, "select id from kb.object_extraction_jobs where chunk_id = @chunk or source_id = @chunk::text", new { chunk }),
        };

        var run = await chain.RunToEndAsync(await chain.RequestAsync(project: null), movesClock: false);
        Assert.Equal(RunState.Succeeded, run.State);
        await using var database = Npgsql.NpgsqlDataSource.Create(chain.Database.ConnectionString);
        var project = await ScalarAsync<Guid>(
            chain, "select project_id from kb.object_extraction_jobs where id = @job", first);
        var second = new { job = await NewExtraction.AddAsync(database, project, text, Stop), run = run.Id.Value };
        await chain.Local.RequestExtractionAsync(second.job, Stop);
        await chain.WaitForExtractionAsync(second.job);
        var answer = chain.Local.Vertex.LatestAnswer!;

        _names[$"{chain.Organization}"] = "ORGANIZATION";
        _names[$"{run.Id}"] = "RUN";
        _names[$"{second.job}"] = "NEW-JOB";
        _names[$"{run.DatasetId}"] = "DATASET";
        _names[$"{await ScalarAsync<Guid>(chain, "select id from ml.extraction_results where job_id = @job", second)}"] = "RESULT";
        _names[$"{await ScalarAsync<Guid>(chain, FirstObject.Replace("*", "id", StringComparison.Ordinal), second)}"] = "NEW-OBJECT";
        var jsonl = await ReadTrainingFileAsync(chain, run);
        var training = Assert.Single(jsonl, each => ReadText(each).Contains(text, StringComparison.Ordinal));

        // What the model was tuned on is what it is asked.
        Assert.Equal(ReadText(training), answer.Request.Contents[0].Parts[0].Text);

        MadePage.Check("data-path.md", new Dictionary<string, string>
        {
            ["line of the sample"] = Fence("json", line),
            ["chunk"] = await RowAsync(chain, "select * from kb.chunks where id = @chunk", first),
            ["extraction job"] = await RowAsync(chain, "select * from kb.object_extraction_jobs where id = @job", first),
            ["object"] = await RowAsync(chain, FirstObject, first),
            ["objects"] = await TableAsync(
                chain,
                """
                select properties->>'name' as name, type, version, needs_review, reviewed_by is not null as is_reviewed
                from   kb.graph_objects
                where  extraction_job_id = @job
                order  by name
                """,
                first),
            ["relationship"] = await RowAsync(
                chain,
                """
                select r.*
                from   kb.graph_relationships r
                join   kb.graph_objects o on o.id = r.src_id and o.extraction_job_id = @job
                order  by r.type
                limit  1
                """,
                first),
            ["messages"] = await TableAsync(
                chain, "select topic, payload from ml.outbox where run_id = @run order by id", second),
            ["line of train.jsonl"] = Fence("json", training),
            ["origin"] = await RowAsync(
                chain,
                """
                select e.*
                from   ml.dataset_examples e
                join   ml.training_runs r on r.dataset_id = e.dataset_id and r.id = @run
                where  e.chunk_id = @chunk
                """,
                new { first.chunk, second.run }),
            ["dataset"] = await RowAsync(
                chain,
                """
                select d.uri, d.seed, d.train_examples, d.train_bytes, d.train_sha256, d.validation_examples, d.test_examples,
                       d.estimated_tokens
                from   ml.datasets d
                join   ml.training_runs r on r.dataset_id = d.id and r.id = @run
                """,
                second),
            ["intent"] = await RowAsync(
                chain,
                """
                select attempt, state, vertex_parent, run_label, dataset_uri, base_model, request_sha256, tuning_job
                from   ml.tuning_attempts
                where  run_id = @run
                """,
                second),
            ["tuning job"] = Fence("json", Protobuf.Format(Assert.Single(chain.Local.Vertex.CreateRequests))),
            ["model"] = await RowAsync(
                chain,
                """
                select model_type, version, status, base_model, tuning_job, vertex_model, vertex_endpoint, training_examples,
                       validation_examples, verdict, verdict_reason
                from   ml.fine_tuned_models
                where  id = @run
                """,
                second),
            ["request"] = Fence("json", Protobuf.Format(answer.Request)),
            ["answer"] = Fence("json", Protobuf.Format(answer.Response)),
            ["result"] = await RowAsync(chain, "select * from ml.extraction_results where job_id = @job", second),
            ["new object"] = await RowAsync(chain, FirstObject, second),
            ["new objects"] = await TableAsync(
                chain,
                """
                select properties->>'name' as name, type, status, extraction_confidence as confidence, needs_review
                from   kb.graph_objects
                where  extraction_job_id = @job
                order  by name
                """,
                second),
            ["new relationships"] = await TableAsync(
                chain,
                """
                select s.properties->>'name' as source, r.type, t.properties->>'name' as target
                from   kb.graph_relationships r
                join   kb.graph_objects s on s.id = r.src_id and s.extraction_job_id = @job
                join   kb.graph_objects t on t.id = r.dst_id
                order  by source, type, target
                """,
                second),
        });
    }

    private static async Task<IReadOnlyList<string>> ReadTrainingFileAsync(Chain chain, Run run)
    {
        using var http = new HttpClient();
        var name = Uri.EscapeDataString(DatasetUri.NameOf(await ScalarAsync<string>(
            chain, "select train_uri from ml.datasets where id = @DatasetId", new { run.DatasetId })));
        var content = await http.GetStringAsync(
            new Uri(chain.Local.Storage.Address, $"/storage/v1/b/{LocalChain.Bucket}/o/{name}?alt=media"), Stop);
        return content.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static string ReadText(string line) => JsonDocument.Parse(line).RootElement.GetProperty("contents")[0]
        .GetProperty("parts")[0].GetProperty("text").GetString()!;

    private static async Task<T> ScalarAsync<T>(Chain chain, string sql, object arguments)
    {
        await using var db = await chain.Database.Admin.OpenConnectionAsync(Stop);
        return await db.QuerySingleAsync<T>(new CommandDefinition(sql, arguments, cancellationToken: Stop));
    }

    /// <summary>One row, a line for each column that is not null.</summary>
    private async Task<string> RowAsync(Chain chain, string sql, object arguments)
    {
        var row = Assert.Single(await ReadAsync(chain, sql, arguments));
        var columns = row.Where(column => column.Value.Length > 0).ToList();
        var width = columns.Max(column => column.Key.Length);
        return Fence("", string.Join('\n', columns.Select(column => $"{column.Key.PadRight(width)} | {column.Value}")));
    }

    private async Task<string> TableAsync(Chain chain, string sql, object arguments)
    {
        var rows = await ReadAsync(chain, sql, arguments);
        Assert.NotEmpty(rows);
        var lines = rows.Select(row => $"| {string.Join(" | ", row.Select(column => column.Value))} |");
        var names = rows[0].Select(column => column.Key).ToList();
        return Elide($"| {string.Join(" | ", names)} |\n|{string.Concat(names.Select(_ => "---|"))}\n{string.Join('\n', lines)}");
    }

    // As PostgreSQL writes the values.
    private static async Task<IReadOnlyList<IReadOnlyList<KeyValuePair<string, string>>>> ReadAsync(
        Chain chain, string sql, object arguments)
    {
        await using var db = await chain.Database.Admin.OpenConnectionAsync(Stop);
        var rows = await db.QueryAsync<string>(new CommandDefinition(
            $"""
            select (select json_agg(json_build_array(f.key, found.fields ->> f.key) order by f.place)
                    from   json_object_keys(found.fields) with ordinality as f (key, place))::text
            from   (select row_to_json(selected_row) as fields from ({sql}) selected_row) found
            """,
            arguments, cancellationToken: Stop));
        return [.. rows.Select(row => JsonSerializer.Deserialize<string?[][]>(row)!
            .Select(pair => KeyValuePair.Create(pair[0]!, pair[1] ?? "")).ToList())];
    }

    private string Fence(string language, string content) => Elide($"```{language}\n{content}\n```");

    private string Elide(string content)
    {
        var text = new StringBuilder(content);
        foreach (var (value, name) in _names)
        {
            text.Replace(value, name);
        }

        return Varying().Replace(
            text.ToString(), match => match.Groups.Values.Single(group => group.Success && group.Name != "0").Name);
    }

    [GeneratedRegex(
        """
        (?<TIME>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00(?::00)?|Z)?)
        | (?<=/v)(?<TIME>\d{13})(?=/)
        | (?<=/tuningJobs/)(?<JOB>\d+)
        | (?<=/models/)(?<MODEL>\d+)(?=@)
        | (?<=/endpoints/)(?<ENDPOINT>\d+)
        | (?<=latency_ms\ +\|\ )(?<MILLISECONDS>\d+)
        | (?<=request_sha256\ +\|\ )(?<SHA256>[0-9a-f]{64})
        """,
        RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Varying();
}
