using CsCheck;

namespace FeedbackLoop.Knowledge.Import;

public sealed class NameBasedIdTests
{
    private static readonly Guid Scope = Guid.Parse("0190a5f0-0000-7000-8000-000000000001");

    [Fact]
    public void The_same_names_give_the_same_id() =>
        Assert.Equal(NameBasedId.Create(Scope, "chunk", "d1#0"), NameBasedId.Create(Scope, "chunk", "d1#0"));

    // Another value would import every file again beside what is there.
    [Fact]
    public void An_id_never_changes() =>
        Assert.Equal(Guid.Parse("bc9272a2-6a7e-8a3b-b7b2-61db598005b0"), NameBasedId.Create(Scope, "chunk", "d1#0"));

    [Fact]
    public void Scope_and_every_name_count() =>
        Assert.Equal(
            5,
            new HashSet<Guid>
            {
                NameBasedId.Create(Scope, "a", "bc"),
                NameBasedId.Create(Scope, "ab", "c"),
                NameBasedId.Create(Scope, "abc"),
                NameBasedId.Create(Scope, "a", "bc", ""),
                NameBasedId.Create(Guid.Empty, "a", "bc"),
            }.Count);

    [Fact]
    public void Every_id_is_a_uuid_of_version_8() =>
        Gen.String[0, 2000].Sample(name =>
        {
            var text = NameBasedId.Create(Scope, name).ToString();
            return text[14] == '8' && "89ab".Contains(text[19], StringComparison.Ordinal);
        });
}
