namespace FeedbackLoop.Pii.Tests;

public sealed class UrlUserTests
{
    private static readonly PiiScanner Scanner = new();

    [Theory]
    [InlineData("https://bot:secret@registry.example.com/v2 is used.", "https://bot:[SECRET]@registry.example.com/v2 is used.")]
    [InlineData("postgres://app:p@ss,w'rd@localhost:5432/db", "postgres://app:[SECRET]@localhost:5432/db")]
    [InlineData("redis://:hunter2@cache", "redis://:[SECRET]@cache")]
    [InlineData("amqp://u:4111111111111111@[2001:db8::1]:80", "amqp://u:[SECRET]@[[IP]]:80")]
    [InlineData("ftp://u:x10.0.0.1@h and git+ssh://v:w@h", "ftp://u:[SECRET]@h and git+ssh://v:[SECRET]@h")]
    [InlineData("https://jane%40example.com:pw@host.example", "https://[EMAIL]:[SECRET]@host.example")]
    [InlineData("https://u:jane@example.com@host.example", "https://u:[SECRET]@host.example")]
    public void The_password_of_a_URL_is_a_secret(string text, string redacted) =>
        Assert.Equal(redacted, Scanner.Redact(text));

    [Theory]
    [InlineData("http://localhost:8080/a@b")]
    [InlineData("https://user:${PASSWORD}@registry.example.com")]
    [InlineData("https://user:$PASSWORD@registry.example.com")]
    [InlineData("https://user:<password>@registry.example.com")]
    [InlineData("https://user:{{ password }}@registry.example.com")]
    [InlineData("https://user:[SECRET_1]@registry.example.com")]
    [InlineData("https://user:****@registry.example.com")]
    [InlineData("postgresql://user:%(password)s@host and user:%s@host")]
    [InlineData("https://unpkg.example/react@17.0.2")]
    [InlineData("https://social.example/@jane")]
    [InlineData("note: user:password@host")]
    public void Where_no_password_stands_nothing_is_found(string text) => Assert.Empty(Scanner.Find(text));
}
