using System.Net;
using System.Net.Sockets;

namespace FeedbackLoop.Simulation.Tests;

/// <summary>Wakes a thread that waits for sockets.</summary>
internal sealed class Bell : IDisposable
{
    private readonly Socket _rope = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _heard = new byte[16];
    private int _isRung;

    public Bell()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _rope.Connect(listener.LocalEndpoint);
        Socket = listener.AcceptSocket();
    }

    /// <summary>Can be read while the bell rings.</summary>
    public Socket Socket { get; }

    public void Ring()
    {
        if (Interlocked.Exchange(ref _isRung, 1) == 0)
        {
            _rope.Send([1]);
        }
    }

    public void Hush()
    {
        if (Volatile.Read(ref _isRung) == 1)
        {
            Socket.Receive(_heard);
            Volatile.Write(ref _isRung, 0);
        }
    }

    public void Dispose()
    {
        _rope.Dispose();
        Socket.Dispose();
    }
}
