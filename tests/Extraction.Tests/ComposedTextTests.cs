using CsCheck;
using Dapper;
using FeedbackLoop.Extraction;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Extract.Tests;

/// <summary>Compared with PostgreSQL's <c>normalize</c>, which has a table of its own.</summary>
/// <remarks>
/// Without U+11A7, which PostgreSQL 15 takes for a tail and swallows; by UAX #15 and in Node.js it is none.
/// </remarks>
public sealed class ComposedTextTests(PostgresFixture postgres) : IAsyncLifetime
{
    // Composed characters of Unicode 15 to 17, which a PostgreSQL of 2022 does not know.
    private static readonly (int First, int Last)[] Young =
        [(0x105C9, 0x105E4), (0x11380, 0x113D2), (0x16120, 0x1612F), (0x16D63, 0x16D6A)];

    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync() =>
        _database = await postgres.CreateDatabaseAsync(TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public void This_runtime_composes_nothing_by_itself() =>
        Assert.Equal("e\u0301", "e\u0301".Normalize(System.Text.NormalizationForm.FormC));

    [Fact]
    public async Task Every_character_has_the_form_that_PostgreSQL_gives_it()
    {
        var characters = Enumerable.Range(1, 0x10FFFF)
            .Where(code => code is < 0xD800 or > 0xDFFF && !Young.Any(each => each.First <= code && code <= each.Last))
            .Select(char.ConvertFromUtf32)
            .ToArray();

        Assert.Equal(await NormalizedAsync(characters), characters.Select(ComposedText.Of));
    }

    [Fact]
    public async Task Sequences_have_the_form_that_PostgreSQL_gives_them()
    {
        string[] parts =
        [
            "a", "e", "o", "A", "q", " ", "é", "ệ", "Å", "\u212B", "ﬁ", "ω", "ᾳ", "\u0391", "й", "\u0915", "\u0958", "\u05D0", "か", "が",
            "\u0300", "\u0301", "\u0302", "\u0307", "\u0308", "\u030A", "\u0316", "\u0323", "\u0327", "\u031B", "\u0334", "\u0342", "\u0344", "\u0345",
            "\u05B0", "\u05BC", "\u093C", "\u094D", "\u3099", "\u309A", "\u0F71", "\u0F72", "\u0F73", "\u0E38", "\u0E48",
            "\u1100", "\u1112", "\u1161", "\u1175", "\u11A8", "\u11C2", "가", "각", "힣", "\uF900", "\uFB1D", "😀", "𝅗𝅥", "\U0001D165",
            "\U0001D158", "\U0002F800", "\U00011099", "\U000110BA",
        ];
        var texts = new List<string>();
        Gen.Int[0, parts.Length - 1].Array[1, 12].Sample(
            picked => texts.Add(string.Concat(picked.Select(i => parts[i]))), iter: 50_000, threads: 1, seed: "0000000000001");

        Assert.Equal(await NormalizedAsync([.. texts]), texts.Select(ComposedText.Of));
    }

    [Fact]
    public void Every_character_of_the_result_comes_from_one_of_the_text()
    {
        Assert.Equal("K\u00E9o한z😀", ComposedText.Of("Ke\u0301o\u1112\u1161\u11abz😀", out var origins));
        Assert.Equal([0, 1, 3, 4, 7, 8, 9], origins);
    }

    [Fact]
    public void Half_of_a_pair_stays() =>
        Assert.Equal("\ud83d\u00e9\udc00\ud83d", ComposedText.Of("\ud83de\u0301\udc00\ud83d"));

    private async Task<IEnumerable<string>> NormalizedAsync(string[] texts)
    {
        await using var db = await _database.Admin.OpenConnectionAsync(TestContext.Current.CancellationToken);
        return (await db.QueryAsync<string>(
            "select normalize(t, NFC) from unnest(@texts) with ordinality as u (t, n) order by n", new { texts })).ToList();
    }
}
