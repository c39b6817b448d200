namespace FeedbackLoop.Pii.Tests;

internal static class SecretSamples
{
    public static IEnumerable<Sample> Positives(int count, int seed)
    {
        var dice = new Dice(seed);
        for (var i = 0; i < count; i++)
        {
            var scheme = dice.Pick("https", "postgres", "redis", "amqp", "git+ssh", "mongodb+srv", "ftp");
            var user = dice.Pick("bot", "app_user", "jane.doe", "", "svc-1");
            var host = dice.Pick("localhost", "db.example.com", "host-1.internal", "例子.公司");
            var url = $"{scheme}://{user}:{{0}}@{host}{dice.Pick("", "/v2", ":5432/db", "/a?b=c")}";
            var value = dice.Pick("secret", "hunter2", "p@ssw0rd", "4111111111111111", "s3cr3t,%21", "Tr0ub4dor&3", "ключ")
                + dice.Digits(3);
            yield return Sample.Positive(PiiKind.Secret, Frames.Any(dice).Replace("{0}", url, StringComparison.Ordinal), value);
        }
    }
}
