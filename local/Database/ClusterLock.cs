using System.Globalization;

namespace FeedbackLoop.Local;

/// <summary>
/// Whose a cluster's folder is: held by the process that uses it, and free again as soon as that process is gone,
/// however it went.
/// </summary>
internal sealed class ClusterLock : IDisposable
{
    private const string FileName = "in-use.lock";

    private readonly FileStream _file;

    private ClusterLock(FileStream file) => _file = file;

    /// <returns>Null while a living process holds it.</returns>
    public static ClusterLock? TryTake(string directory)
    {
        FileStream file;
        try
        {
            // Not shared, which the system knows of by a lock on the open file: nothing has to be cleared up after a
            // crash.
            file = new FileStream(
                Path.Combine(directory, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }

        file.SetLength(0);
        file.Write(System.Text.Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
        file.Flush();
        return new ClusterLock(file);
    }

    /// <summary>Whether there is something to take: a folder of an earlier version has none.</summary>
    public static bool IsIn(string directory) => File.Exists(Path.Combine(directory, FileName));

    public void Dispose() => _file.Dispose();
}
