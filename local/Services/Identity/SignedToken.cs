using System.Buffers.Text;
using System.Text;
using System.Text.Json.Nodes;

namespace FeedbackLoop.Local.Identity;

/// <summary>The compact form of a signed token (RFC 7515, 7.1).</summary>
public static class SignedToken
{
    /// <param name="sign">From the bytes of header and claims to the signature.</param>
    public static string Write(JsonObject header, JsonObject claims, Func<byte[], byte[]> sign)
    {
        var content = $"{Encode(header)}.{Encode(claims)}";
        return $"{content}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(content)))}";
    }

    private static string Encode(JsonObject part) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(part.ToJsonString()));
}
