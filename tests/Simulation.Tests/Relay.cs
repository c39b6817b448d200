using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace FeedbackLoop.Simulation.Tests;

/// <summary>
/// Between a worker and PostgreSQL. The stage calls it when it wants questions and answers to pass, so that each statement is a wait,
/// however fast the server is, and answers to several statements at once come in one order. Sessions of the server go on to
/// the next worker, because a new one costs the server more than a whole play.
/// </summary>
internal sealed class Relay : IDisposable
{
    private readonly IPEndPoint _server;
    private readonly Socket _listener = new(SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Session> _sessions = [];
    private readonly byte[] _buffer = new byte[64 * 1024];

    public Relay(string connectionString)
    {
        var server = new NpgsqlConnectionStringBuilder(connectionString);
        _server = new IPEndPoint(IPAddress.Parse(server.Host!), server.Port);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>Whether everything that was asked has been answered, and the answer passed on.</summary>
    public bool IsQuiet => _sessions.TrueForAll(session => session.IsQuiet);

    /// <summary>Processes of the server that work for the worker and have not answered.</summary>
    public IReadOnlyList<int> Asked => [.. _sessions.Where(session => session.Unanswered > 0).Select(session => session.Process)];

    /// <summary>Takes connections and passes on what the worker asks, until nothing of that is left.</summary>
    public void PassQuestions()
    {
        while (_listener.Poll(0, SelectMode.SelectRead))
        {
            Accept(_listener.Accept());
        }

        foreach (var session in _sessions.Where(session => session.Client is { } client && client.Poll(0, SelectMode.SelectRead)))
        {
            PassQuestion(session);
        }
    }

    /// <summary>Waits until something comes from the worker or its <paramref name="bell"/> rings.</summary>
    public void AwaitWorker(Socket bell, TimeSpan patience) =>
        Await([bell, _listener, .. _sessions.Where(session => session.Client is not null).Select(session => session.Client!)], patience);

    /// <summary>Waits until everything that was asked has its answer here.</summary>
    /// <returns>False when the time was too short.</returns>
    public bool AwaitAnswers(TimeSpan patience)
    {
        while (_sessions.Where(session => session.Unanswered > 0).ToList() is { Count: > 0 } asked)
        {
            var ready = Await([.. asked.Select(session => session.Server)], patience);
            if (ready.Count == 0)
            {
                return false;
            }

            foreach (var session in asked.Where(session => ready.Contains(session.Server)))
            {
                TakeAnswer(session);
            }
        }

        return true;
    }

    /// <summary>Gives the worker the next answer that is here.</summary>
    /// <returns>By whose sign one sees that it goes on; null when there was none.</returns>
    public Socket? PassAnswer()
    {
        var session = _sessions.Find(session => session.Unanswered == 0 && session.Answer.Length > 0);
        if (session?.Client is not { } client)
        {
            session?.Answer.SetLength(0);
            return null;
        }

        try
        {
            client.Send(session.Answer.GetBuffer(), 0, (int)session.Answer.Length, SocketFlags.None);
        }
        catch (SocketException)
        {
            session.Leave();
        }

        session.Answer.SetLength(0);
        return session.Client;
    }

    /// <summary>The worker's machine dies: what it had open is rolled back.</summary>
    /// <param name="terminate">Ends a process of the server that waits for a lock.</param>
    /// <returns>How many connections it had.</returns>
    public int Cut(Action<int> terminate)
    {
        while (_listener.Poll(0, SelectMode.SelectRead))
        {
            _listener.Accept().Dispose();
        }

        var used = _sessions.Where(session => session.Client is not null).ToList();
        foreach (var session in used)
        {
            session.Leave();
            if (session.Unanswered > 0)
            {
                terminate(session.Process);
                while (_sessions.Contains(session))
                {
                    TakeAnswer(session);
                }
            }
            else
            {
                Clean(session);
            }
        }

        return used.Count;
    }

    public void Dispose()
    {
        _listener.Dispose();
        _sessions.ForEach(session => session.Dispose());
    }

    private void Accept(Socket client)
    {
        client.NoDelay = true;
        var start = ReadStart(client);
        if (start.Length == 16)
        {
            // A request to cancel a statement, on a connection of its own that ends with it.
            using var other = Connect();
            other.Send(start);
            while (other.Receive(_buffer) > 0)
            {
            }

            client.Dispose();
            return;
        }

        if (_sessions.Find(session => session.Client is null) is { } free)
        {
            free.Client = client;
            free.Answer.Write(free.Greeting);
            return;
        }

        var session = new Session(Connect()) { Client = client };
        _sessions.Add(session);
        session.Unanswered++;
        session.Server.Send(start);
        while (session.Unanswered > 0)
        {
            TakeAnswer(session);
        }

        session.Greeting = session.Answer.ToArray();
    }

    private Socket Connect()
    {
        var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        server.Connect(_server);
        return server;
    }

    private byte[] ReadStart(Socket client)
    {
        var read = 0;
        var length = 4;
        while (read < length)
        {
            var more = client.Receive(_buffer, read, length - read, SocketFlags.None);
            if (more == 0)
            {
                throw new IOException("a worker left before it said who it was");
            }

            read += more;
            length = read >= 4 ? BinaryPrimitives.ReadInt32BigEndian(_buffer) : length;
        }

        return _buffer[..length];
    }

    private void PassQuestion(Session session)
    {
        int read;
        try
        {
            read = session.Client!.Receive(_buffer);
        }
        catch (SocketException)
        {
            read = 0;
        }

        var question = _buffer.AsSpan(0, read);
        var kinds = session.Questions.Read(question).Select(message => message.Kind).ToList();

        // A worker that says goodbye, or has gone without it, leaves its session to the next one.
        var isGoodbye = read == 0 || kinds.Contains((byte)'X');
        question = kinds.Contains((byte)'X') ? question[..^5] : question;
        session.Unanswered += kinds.Count(kind => kind is (byte)'Q' or (byte)'S');
        if (question.Length > 0)
        {
            session.Server.Send(question);
        }

        if (isGoodbye)
        {
            session.Leave();
            Clean(session);
        }
    }

    private void TakeAnswer(Session session)
    {
        var read = session.Server.Receive(_buffer);
        if (read == 0)
        {
            session.Dispose();
            _sessions.Remove(session);
            return;
        }

        session.Answer.Write(_buffer, 0, read);
        foreach (var (kind, body) in session.Answers.Read(_buffer.AsSpan(0, read)))
        {
            session.Note(kind, body);
        }
    }

    // What the next one would find there: a transaction, and statements prepared by name.
    private void Clean(Session session)
    {
        if (session.IsInTransaction)
        {
            session.Server.Send("Q\0\0\0\rrollback\0"u8);
            session.Unanswered++;
        }

        session.Server.Send("Q\0\0\0\u0013deallocate all\0"u8);
        session.Unanswered++;
        while (session.Unanswered > 0)
        {
            TakeAnswer(session);
        }

        session.Answer.SetLength(0);
    }

    private static HashSet<Socket> Await(List<Socket> sockets, TimeSpan patience)
    {
        Socket.Select(sockets, null, null, patience);
        return [.. sockets];
    }

    /// <summary>One of the server's, with whoever uses it now.</summary>
    private sealed class Session(Socket server) : IDisposable
    {
        public Socket Server { get; } = server;

        /// <summary>Null while nobody uses it.</summary>
        public Socket? Client { get; set; }

        /// <summary>What the server says to somebody who connects.</summary>
        public byte[] Greeting { get; set; } = [];

        public Messages Questions { get; private set; } = new();

        public Messages Answers { get; } = new();

        /// <summary>What the server has said and nobody has got yet.</summary>
        public MemoryStream Answer { get; } = new();

        /// <summary>Questions without their end: the server's "ready for query".</summary>
        public int Unanswered { get; set; }

        public int Process { get; private set; }

        public bool IsInTransaction { get; private set; }

        public bool IsQuiet => Unanswered == 0 && Answer.Length == 0;

        public void Note(byte kind, ReadOnlySpan<byte> body)
        {
            switch (kind)
            {
                case (byte)'K':
                    Process = BinaryPrimitives.ReadInt32BigEndian(body);
                    break;
                case (byte)'Z':
                    IsInTransaction = body[0] != (byte)'I';
                    Unanswered--;
                    break;
            }
        }

        public void Leave()
        {
            Client?.Dispose();
            (Client, Questions) = (null, new Messages());
            Answer.SetLength(0);
        }

        public void Dispose()
        {
            Client?.Dispose();
            Server.Dispose();
        }
    }
}
