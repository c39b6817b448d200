using System.Buffers.Binary;

namespace FeedbackLoop.Simulation.Tests;

/// <summary>
/// Messages of PostgreSQL's protocol in one direction, cut out of the bytes as they come: a letter for the kind, four bytes for the
/// length, and that much.
/// </summary>
internal sealed class Messages
{
    private const int HeadLength = 5;

    /// <summary>So much of a body is kept: enough for the process of a session and for "ready for query".</summary>
    private const int KeptLength = 8;

    private readonly byte[] _head = new byte[HeadLength];
    private readonly byte[] _body = new byte[KeptLength];
    private int _headRead;
    private int _bodyRead;
    private int _bodyLength;

    /// <summary>Kinds of the messages that end in these bytes, with the beginning of each body.</summary>
    public IReadOnlyList<(byte Kind, byte[] Body)> Read(ReadOnlySpan<byte> bytes)
    {
        var ended = new List<(byte, byte[])>();
        while (bytes.Length > 0)
        {
            if (_headRead < HeadLength)
            {
                var part = Math.Min(HeadLength - _headRead, bytes.Length);
                bytes[..part].CopyTo(_head.AsSpan(_headRead));
                _headRead += part;
                bytes = bytes[part..];
                if (_headRead < HeadLength)
                {
                    break;
                }

                _bodyLength = BinaryPrimitives.ReadInt32BigEndian(_head.AsSpan(1)) - 4;
            }

            var taken = Math.Min(_bodyLength - _bodyRead, bytes.Length);
            var kept = Math.Clamp(KeptLength - _bodyRead, 0, taken);
            bytes[..kept].CopyTo(_body.AsSpan(Math.Min(_bodyRead, KeptLength)));
            _bodyRead += taken;
            bytes = bytes[taken..];
            if (_bodyRead == _bodyLength)
            {
                ended.Add((_head[0], _body[..Math.Min(_bodyLength, KeptLength)]));
                (_headRead, _bodyRead) = (0, 0);
            }
        }

        return ended;
    }
}
