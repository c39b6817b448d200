using CsCheck;
using FeedbackLoop.Examples;

namespace FeedbackLoop.Export.Tests;

public sealed class DocumentSplitTests
{
    [Fact]
    public void A_document_stays_on_its_side_whatever_else_there_is() =>
        Gen.Select(Gen.Long, Gen.Guid).Sample((seed, document) => Assert.Equal(
            DocumentSplit.SideOf(seed, document, 0.1, 0.2), DocumentSplit.SideOf(seed, document, 0.1, 0.2)));

    [Fact]
    public void A_larger_share_only_moves_documents_to_validation() =>
        Gen.Select(Gen.Long, Gen.Guid, Gen.Double[0, 0.5]).Sample((seed, document, share) =>
        {
            if (DocumentSplit.SideOf(seed, document, 0.1, share) == DocumentSplit.Validation)
            {
                Assert.Equal(DocumentSplit.Validation, DocumentSplit.SideOf(seed, document, 0.1, share + 0.1));
            }
        });

    [Fact]
    public void The_share_is_kept_over_many_documents()
    {
        var validation = Enumerable.Range(0, 20_000).Count(i =>
            DocumentSplit.SideOf(7, new Guid(i, 0, 0, new byte[8]), 0, 0.2) == DocumentSplit.Validation);

        Assert.InRange(validation, 3_800, 4_200);
    }

    [Fact]
    public void Another_seed_divides_otherwise()
    {
        var documents = Enumerable.Range(0, 200).Select(i => new Guid(i, 0, 0, new byte[8])).ToList();

        Assert.NotEqual(
            documents.Select(d => DocumentSplit.SideOf(1, d, 0, 0.5)),
            documents.Select(d => DocumentSplit.SideOf(2, d, 0, 0.5)));
    }

    [Theory]
    [InlineData(0, "00000000-0000-0000-0000-000000000001")]
    [InlineData(20_260_101, "11111111-2222-3333-4444-555555555555")]
    public void The_extremes_are_all_or_nothing(long seed, string document)
    {
        Assert.Equal(DocumentSplit.Train, DocumentSplit.SideOf(seed, Guid.Parse(document), 0, 0));
        Assert.Equal(DocumentSplit.Validation, DocumentSplit.SideOf(seed, Guid.Parse(document), 0, 1));
        Assert.Equal(DocumentSplit.Test, DocumentSplit.SideOf(seed, Guid.Parse(document), 1, 1));
    }

    /// <summary>
    /// Written down once, because every run must go on with them: documents that change sides would be learnt from by the next
    /// model and asked about to judge it. From Python: <c>sha256(seed.to_bytes(8, "big", signed=True) + uuid.bytes)</c>, the
    /// first 53 bits over 2^53.
    /// </summary>
    [Theory]
    [InlineData(0L, "00112233-4455-6677-8899-aabbccddeeff", 0.22065309785016274)]
    [InlineData(20_260_101L, "11111111-2222-3333-4444-555555555556", 0.7320083539498716)]
    [InlineData(-1L, "0190aaaa-0000-7000-8000-000000000001", 0.5568523960411179)]
    public void A_document_is_where_it_was_put_first(long seed, string document, double position) =>
        Assert.Equal(position, DocumentSplit.PositionOf(seed, Guid.Parse(document)));

    [Theory]
    [InlineData("01900008-1234-7000-8000-0000000abc01", DocumentSplit.Test)]
    [InlineData("01900002-1234-7000-8000-0000000abc01", DocumentSplit.Validation)]
    [InlineData("01900000-1234-7000-8000-0000000abc01", DocumentSplit.Train)]
    public void A_document_is_held_out_for_ever(string document, string side) =>
        Assert.Equal(side, DocumentSplit.SideOf(1, Guid.Parse(document), 0.1, 0.2));

    [Fact]
    public void What_is_held_out_is_held_out_of_every_run_whatever_its_seed() =>
        Gen.Select(Gen.Long, Gen.Long, Gen.Guid, Gen.Double[0, 1]).Sample((one, other, document, share) => Assert.Equal(
            DocumentSplit.SideOf(one, document, share, 0.2) == DocumentSplit.Test,
            DocumentSplit.SideOf(other, document, share, 0.7) == DocumentSplit.Test));

    [Fact]
    public void A_larger_test_share_takes_from_the_others_and_gives_nothing_back() =>
        Gen.Select(Gen.Long, Gen.Guid, Gen.Double[0, 0.5]).Sample((seed, document, share) =>
        {
            var (before, after) = (
                DocumentSplit.SideOf(seed, document, share, 0.2), DocumentSplit.SideOf(seed, document, share + 0.1, 0.2));
            Assert.True(after == before || after == DocumentSplit.Test);
        });

    [Fact]
    public void The_shares_are_those_of_all_documents_and_of_the_rest()
    {
        var sides = Enumerable.Range(0, 20_000)
            .CountBy(i => DocumentSplit.SideOf(7, new Guid(i, 0, 0, new byte[8]), 0.1, 0.2))
            .ToDictionary();

        Assert.InRange(sides[DocumentSplit.Test], 1_850, 2_150);
        Assert.InRange(sides[DocumentSplit.Validation], 3_400, 3_800);
    }
}
