using System.Buffers.Binary;
using System.Text;

namespace FeedbackLoop.Infra.Provider;

/// <summary>A value of Terraform's types as it travels: MessagePack, in which an extension marks what is not known yet.</summary>
internal abstract record Value
{
    public static readonly Value Null = new Nothing();
    public static readonly Value Unknown = new NotKnown();

    public static Value Read(ReadOnlySpan<byte> data)
    {
        var at = 0;
        return data.Length == 0 ? Null : Read(data, ref at);
    }

    public byte[] ToBytes()
    {
        using var to = new MemoryStream();
        Write(to);
        return to.ToArray();
    }

    private static Value Read(ReadOnlySpan<byte> data, ref int at)
    {
        var start = at;
        int code = data[at++];
        switch (code)
        {
            case <= 0x7f or >= 0xe0 or >= 0xca and <= 0xd3:
                at += code is >= 0xca and <= 0xd3 ? NumberLength(code) : 0;
                return new Number(data[start..at].ToArray());
            case <= 0x8f:
                return ReadMap(data, ref at, code & 0x0f);
            case <= 0x9f:
                return ReadList(data, ref at, code & 0x0f);
            case <= 0xbf:
                return ReadText(data, ref at, code & 0x1f);
            case 0xc0:
                return Null;
            case 0xc2 or 0xc3:
                return new Flag(code == 0xc3);
            case 0xc7 or 0xc8 or 0xc9:
                var length = Length(data, ref at, code - 0xc7);
                at += length + 1;
                return Unknown;
            case >= 0xd4 and <= 0xd8:
                at += (1 << (code - 0xd4)) + 1;
                return Unknown;
            case 0xc4 or 0xc5 or 0xc6:
                return ReadText(data, ref at, Length(data, ref at, code - 0xc4));
            case 0xd9 or 0xda or 0xdb:
                return ReadText(data, ref at, Length(data, ref at, code - 0xd9));
            case 0xdc or 0xdd:
                return ReadList(data, ref at, Length(data, ref at, code - 0xdc + 1));
            case 0xde or 0xdf:
                return ReadMap(data, ref at, Length(data, ref at, code - 0xde + 1));
            default:
                throw new FormatException($"MessagePack has no 0x{code:x2}");
        }
    }

    private static int NumberLength(int code) => code switch
    {
        0xcc or 0xd0 => 1,
        0xcd or 0xd1 => 2,
        0xca or 0xce or 0xd2 => 4,
        _ => 8,
    };

    /// <param name="width">0, 1 or 2: a length of 1, 2 or 4 bytes.</param>
    private static int Length(ReadOnlySpan<byte> data, ref int at, int width)
    {
        var length = width switch
        {
            0 => data[at],
            1 => BinaryPrimitives.ReadUInt16BigEndian(data[at..]),
            _ => checked((int)BinaryPrimitives.ReadUInt32BigEndian(data[at..])),
        };
        at += 1 << width;
        return length;
    }

    private static Text ReadText(ReadOnlySpan<byte> data, ref int at, int length)
    {
        var text = Encoding.UTF8.GetString(data.Slice(at, length));
        at += length;
        return new Text(text);
    }

    private static Items ReadList(ReadOnlySpan<byte> data, ref int at, int count)
    {
        var items = new List<Value>(count);
        while (items.Count < count)
        {
            items.Add(Read(data, ref at));
        }

        return new Items(items);
    }

    private static Members ReadMap(ReadOnlySpan<byte> data, ref int at, int count)
    {
        var members = new List<KeyValuePair<string, Value>>(count);
        while (members.Count < count)
        {
            var name = (Text)Read(data, ref at);
            members.Add(new(name.Content, Read(data, ref at)));
        }

        return new Members(members);
    }

    private static void WriteHead(Stream to, int count, int small, int limit, byte wide)
    {
        Span<byte> length = stackalloc byte[4];
        if (count <= limit)
        {
            to.WriteByte((byte)(small | count));
        }
        else if (count <= ushort.MaxValue)
        {
            to.WriteByte(wide);
            BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)count);
            to.Write(length[..2]);
        }
        else
        {
            to.WriteByte((byte)(wide + 1));
            BinaryPrimitives.WriteUInt32BigEndian(length, (uint)count);
            to.Write(length);
        }
    }

    private static void WriteText(Stream to, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        WriteHead(to, bytes.Length, 0xa0, 31, 0xda);
        to.Write(bytes);
    }

    protected abstract void Write(Stream to);

    internal sealed record Nothing : Value
    {
        protected override void Write(Stream to) => to.WriteByte(0xc0);
    }

    internal sealed record NotKnown : Value
    {
        protected override void Write(Stream to) => to.Write([0xd4, 0, 0]);
    }

    internal sealed record Flag(bool IsSet) : Value
    {
        protected override void Write(Stream to) => to.WriteByte(IsSet ? (byte)0xc3 : (byte)0xc2);
    }

    /// <summary>In the bytes that it came in, so that none is rounded.</summary>
    internal sealed record Number(byte[] Bytes) : Value
    {
        public double Size => Bytes[0] switch
        {
            <= 0x7f => Bytes[0],
            >= 0xe0 => (sbyte)Bytes[0],
            0xca => BinaryPrimitives.ReadSingleBigEndian(Bytes.AsSpan(1)),
            0xcb => BinaryPrimitives.ReadDoubleBigEndian(Bytes.AsSpan(1)),
            0xcc => Bytes[1],
            0xcd => BinaryPrimitives.ReadUInt16BigEndian(Bytes.AsSpan(1)),
            0xce => BinaryPrimitives.ReadUInt32BigEndian(Bytes.AsSpan(1)),
            0xcf => BinaryPrimitives.ReadUInt64BigEndian(Bytes.AsSpan(1)),
            0xd0 => (sbyte)Bytes[1],
            0xd1 => BinaryPrimitives.ReadInt16BigEndian(Bytes.AsSpan(1)),
            0xd2 => BinaryPrimitives.ReadInt32BigEndian(Bytes.AsSpan(1)),
            _ => BinaryPrimitives.ReadInt64BigEndian(Bytes.AsSpan(1)),
        };

        protected override void Write(Stream to) => to.Write(Bytes);
    }

    internal sealed record Text(string Content) : Value
    {
        protected override void Write(Stream to) => WriteText(to, Content);
    }

    internal sealed record Items(IReadOnlyList<Value> All) : Value
    {
        protected override void Write(Stream to)
        {
            WriteHead(to, All.Count, 0x90, 15, 0xdc);
            foreach (var item in All)
            {
                item.Write(to);
            }
        }
    }

    internal sealed record Members(IReadOnlyList<KeyValuePair<string, Value>> All) : Value
    {
        public Value this[string name] => All.FirstOrDefault(member => member.Key == name).Value ?? Null;

        protected override void Write(Stream to)
        {
            WriteHead(to, All.Count, 0x80, 15, 0xde);
            foreach (var (name, value) in All)
            {
                WriteText(to, name);
                value.Write(to);
            }
        }
    }
}
