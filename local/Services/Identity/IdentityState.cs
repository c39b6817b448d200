using System.Text.Json;
using System.Text.Json.Nodes;

namespace FeedbackLoop.Local.Identity;

/// <summary>What an identity server keeps between two starts.</summary>
internal sealed record IdentityState(int Port, SigningKeys Keys)
{
    public static async Task<IdentityState> ReadAsync(string? file, CancellationToken cancellationToken)
    {
        if (file is null || !File.Exists(file))
        {
            return new(0, SigningKeys.Create());
        }

        try
        {
            var state = JsonNode.Parse(await File.ReadAllTextAsync(file, cancellationToken))!.AsObject();
            return new((int)state["port"]!, SigningKeys.Read(state));
        }
        // Half a file of a start that was killed: new keys, and everybody logs in again.
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException
            or FormatException or System.Security.Cryptography.CryptographicException)
        {
            return new(0, SigningKeys.Create());
        }
    }

    public async Task WriteAsync(string file, CancellationToken cancellationToken)
    {
        var state = new JsonObject { ["port"] = Port };
        Keys.Write(state);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var writer = new StreamWriter(file, options);
        await writer.WriteAsync(state.ToJsonString().AsMemory(), cancellationToken);
    }
}
