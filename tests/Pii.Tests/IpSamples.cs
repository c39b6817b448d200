using System.Globalization;
using System.Net;

namespace FeedbackLoop.Pii.Tests;

internal static class IpSamples
{
    public static IEnumerable<Sample> Positives(int count, int seed)
    {
        var dice = new Dice(seed);
        for (var i = 0; i < count; i++)
        {
            var frame = dice.OneIn(2)
                ? Frames.With(
                    dice,
                    "IP address {0}", "from {0} port 22", "http://{0}/index.html", "ping {0}",
                    "{0} - - [12/May/2021:10:11:12 +0200]",
                    "Die Adresse ist {0}.", "adresse IP : {0}", "Dirección IP {0}", "host={0};", "{0}/24 is the subnet",
                    "client \"{0}\" closed", "ssh root@{0}", "{0},GET,200", "connected to server version 2 at {0}")
                : Frames.Any(dice);
            yield return Sample.Positive(PiiKind.IpAddress, frame, dice.OneIn(3) ? V6(dice) : V4(dice));
        }
    }

    private static string V4(Dice dice) => dice.Between(0, 5) switch
    {
        0 => $"10.{dice.Between(0, 255)}.{dice.Between(0, 255)}.{dice.Between(1, 254)}",
        1 => $"192.168.{dice.Between(0, 255)}.{dice.Between(1, 254)}",
        2 => $"{dice.Between(20, 223)}.0.0.{dice.Between(1, 9)}",
        3 => $"192.168.{dice.Between(0, 9):D3}.{dice.Between(10, 99):D3}",
        _ => $"{dice.Between(1, 223)}.{dice.Between(0, 255)}.{dice.Between(0, 255)}.{dice.Between(1, 254)}",
    };

    private static string V6(Dice dice)
    {
        var head = dice.Pick("2001:db8", "2a02:810d", "fd12:3456", "fe80", "2606:4700");
        return dice.Between(0, 4) switch
        {
            0 => $"{head}::{dice.Hex(4)}",
            1 => $"{head}::{dice.Between(1, 9)}",
            2 => string.Create(CultureInfo.InvariantCulture, $"::ffff:{V4Plain(dice)}"),
            3 => IPAddress.Parse($"2001:{dice.Hex(4)}:{dice.Hex(4)}:{dice.Hex(4)}::{dice.Hex(4)}").ToString(),
            _ => $"2001:0DB8:{string.Join(':', Enumerable.Range(0, 6).Select(_ => dice.Hex(4)))}".ToUpperInvariant(),
        };
    }

    private static string V4Plain(Dice dice) =>
        $"{dice.Between(1, 223)}.{dice.Between(0, 255)}.{dice.Between(0, 255)}.7";
}
