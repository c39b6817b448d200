namespace FeedbackLoop.Local;

/// <summary>Folders of throw-away clusters, and what became of those whose process was killed.</summary>
internal static class TemporaryClusters
{
    private const string Prefix = "feedbackloop-pg-";
    private const string Memory = "/dev/shm";

    /// <summary>A new folder with its lock.</summary>
    public static (string Directory, ClusterLock Lock) Create()
    {
        // Nobody who looks for what was left behind sees it before it is locked.
        var hidden = Directory.CreateDirectory(Path.Combine(Root(), $".{Prefix}{Path.GetRandomFileName()}")).FullName;
        var mine = ClusterLock.TryTake(hidden)
            ?? throw new LocalPostgresException($"{hidden} was taken by another process as soon as it was made");
        var directory = Path.Combine(Root(), Prefix + Path.GetRandomFileName());
        Directory.Move(hidden, directory);
        return (directory, mine);
    }

    /// <summary>Ends and removes the clusters of processes that are gone.</summary>
    public static async Task RemoveLeftAsync(CancellationToken cancellationToken)
    {
        var found = Roots().SelectMany(root => Directory.EnumerateDirectories(root, Prefix + "*")).ToList();
        foreach (var directory in found)
        {
            try
            {
                if (!ClusterLock.IsIn(directory) || ClusterLock.TryTake(directory) is not { } taken)
                {
                    continue;
                }

                using (taken)
                {
                    await LeftServer.EndAsync(Path.Combine(directory, "data"), cancellationToken);
                    Directory.Delete(directory, recursive: true);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or LocalPostgresException)
            {
                // Another user's, or another process was faster. Whoever needs a cluster gets one of its own all the
                // same.
            }
        }
    }

    private static IEnumerable<string> Roots() =>
        new[] { Memory, Path.GetTempPath() }.Where(Directory.Exists);

    // Copying a database on a disk costs ten times what it does in memory, and tests copy one each. The memory is the
    // machine's own, so a small one (64 MiB in most containers) is left alone.
    private static string Root()
    {
        const long plenty = 4L << 30;
        return Directory.Exists(Memory) && new DriveInfo(Memory).AvailableFreeSpace >= plenty
            ? Memory
            : Path.GetTempPath();
    }
}
