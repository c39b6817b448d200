using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace FeedbackLoop.Simulation.Tests;

/// <summary>
/// Between a worker and PostgreSQL. While the worker is on the stage no answer passes, so that each statement is a wait, however
/// fast the server is; and the stage can see when everything that was asked has been answered.
/// </summary>
internal sealed class Relay : IDisposable
{
    private readonly object _gate = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly IPEndPoint _server;
    private readonly List<Line> _lines = [];
    private TaskCompletionSource? _closed;

    public Relay(string connectionString)
    {
        var server = new NpgsqlConnectionStringBuilder(connectionString);
        _server = new IPEndPoint(IPAddress.Parse(server.Host!), server.Port);
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Whether everything that was asked has been answered, and the answer passed on.</summary>
    public bool IsQuiet
    {
        get
        {
            lock (_gate)
            {
                return _lines.TrueForAll(line => line.Unanswered == 0);
            }
        }
    }

    public void Close() => _closed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open()
    {
        _closed?.SetResult();
        _closed = null;
    }

    /// <summary>Cuts every connection.</summary>
    public void Cut()
    {
        lock (_gate)
        {
            _lines.ForEach(line => line.Dispose());
            _lines.Clear();
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        Cut();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync();
                var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await server.ConnectAsync(_server);
                (client.NoDelay, server.NoDelay) = (true, true);
                var line = new Line(client, server);
                lock (_gate)
                {
                    _lines.Add(line);
                }

                _ = PassAsync(line, client, server, new Messages(hasStart: true), line.Asked, waits: false);
                _ = PassAsync(line, server, client, new Messages(hasStart: false), line.Answered, waits: true);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The play is over.
        }
    }

    private async Task PassAsync(Line line, Socket from, Socket to, Messages messages, Action<byte> see, bool waits)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer)) > 0)
            {
                while (waits && _closed is { } closed)
                {
                    await closed.Task;
                }

                var kinds = messages.Read(buffer.AsSpan(0, read));
                if (!waits)
                {
                    kinds.ForEach(see);
                }

                await to.SendAsync(buffer.AsMemory(0, read));
                if (waits)
                {
                    kinds.ForEach(see);
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // One of both has gone.
        }

        lock (_gate)
        {
            line.Dispose();
            _lines.Remove(line);
        }
    }

    /// <summary>One connection.</summary>
    private sealed class Line(Socket client, Socket server) : IDisposable
    {
        private int _unanswered;

        public int Unanswered => Volatile.Read(ref _unanswered);

        // A start, a query, and a sync are answered with "ready for query" in the end.
        public void Asked(byte kind)
        {
            if (kind is 0 or (byte)'Q' or (byte)'S')
            {
                Interlocked.Increment(ref _unanswered);
            }
        }

        public void Answered(byte kind)
        {
            if (kind == (byte)'Z')
            {
                Interlocked.Decrement(ref _unanswered);
            }
        }

        public void Dispose()
        {
            client.Dispose();
            server.Dispose();
        }
    }

    /// <summary>The kinds of the messages in one direction of PostgreSQL's protocol; 0 for the first, which has none.</summary>
    private sealed class Messages(bool hasStart)
    {
        private readonly byte[] _head = new byte[5];
        private bool _isStart = hasStart;
        private int _headLength;
        private int _rest;

        public List<byte> Read(ReadOnlySpan<byte> bytes)
        {
            var kinds = new List<byte>();
            while (bytes.Length > 0)
            {
                var skipped = Math.Min(_rest, bytes.Length);
                _rest -= skipped;
                bytes = bytes[skipped..];
                while (bytes.Length > 0 && _rest == 0)
                {
                    _head[_headLength++] = bytes[0];
                    bytes = bytes[1..];
                    var needed = _isStart ? 4 : 5;
                    if (_headLength == needed)
                    {
                        kinds.Add(_isStart ? (byte)0 : _head[0]);
                        _rest = BinaryPrimitives.ReadInt32BigEndian(_head.AsSpan(needed - 4)) - 4;
                        (_isStart, _headLength) = (false, 0);
                    }
                }
            }

            return kinds;
        }
    }
}
