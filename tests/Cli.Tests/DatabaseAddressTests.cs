using FeedbackLoop.Cli.Settings;
using Npgsql;

namespace FeedbackLoop.Cli;

public sealed class DatabaseAddressTests
{
    [Fact]
    public void An_address_becomes_a_connection_string()
    {
        var parsed = Parse(
            "postgres://ann:p%40ss%2Fword@db.example.org:6432/pro%20duct?sslmode=verify-full&connect_timeout=7");

        Assert.Equal(
            ("db.example.org", 6432, "pro duct", "ann", "p@ss/word", SslMode.VerifyFull, 7),
            (parsed.Host, parsed.Port, parsed.Database, parsed.Username, parsed.Password, parsed.SslMode, parsed.Timeout));
    }

    [Fact]
    public void What_an_address_leaves_out_is_left_to_Npgsql()
    {
        var parsed = Parse("postgresql://localhost");

        Assert.Equal(("localhost", 5432, null, null), (parsed.Host, parsed.Port, parsed.Database, parsed.Username));
    }

    [Fact]
    public void A_socket_folder_may_stand_in_the_query() =>
        Assert.Equal("/cloudsql/p:r:i", Parse("postgres://app@localhost/d?host=/cloudsql/p:r:i").Host);

    [Fact]
    public void A_connection_string_stays_what_it_is()
    {
        var parsed = Parse("Host=h;Database=d;Username=u;Application Name=mine");

        Assert.Equal(("h", "d", "u", "mine"), (parsed.Host, parsed.Database, parsed.Username, parsed.ApplicationName));
    }

    [Fact]
    public void The_server_sees_who_is_connected() =>
        Assert.Equal("feedbackloop", Parse("postgres://h/d").ApplicationName);

    [Theory]
    [InlineData("nonsense")]
    [InlineData("Hose=h")]
    [InlineData("Database=d")]
    [InlineData("Host=h;Port=many")]
    [InlineData("postgres://")]
    [InlineData("postgres://u:secret@h:port/d")]
    [InlineData("postgres://u:secret@h/d?frob=1")]
    [InlineData("postgres://u:secret@h/d?sslmode=perhaps")]
    public void Anything_else_is_refused_without_its_password(string address)
    {
        var refusal = Assert.Throws<FormatException>(() => DatabaseAddress.Parse(address));

        Assert.DoesNotContain("secret", refusal.Message, StringComparison.Ordinal);
    }

    private static NpgsqlConnectionStringBuilder Parse(string address) => new(DatabaseAddress.Parse(address));
}
