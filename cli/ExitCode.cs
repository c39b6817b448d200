namespace FeedbackLoop.Cli;

/// <summary>What a script learns from a command.</summary>
internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>The command line is wrong; nothing was tried.</summary>
    public const int Usage = 2;

    /// <summary>Understood, and not done or not wholly done, for a reason that the message gives.</summary>
    public const int Refused = 3;

    /// <summary>Something outside broke: database, network, disk, or the program itself.</summary>
    public const int Failed = 4;
}
