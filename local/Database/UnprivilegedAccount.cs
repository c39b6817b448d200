using System.Runtime.InteropServices;

namespace FeedbackLoop.Local;

/// <summary>The account that runs PostgreSQL when we are root, since <c>initdb</c> and <c>postgres</c> refuse root.</summary>
internal sealed record UnprivilegedAccount(string Name, uint UserId, uint GroupId)
{
    /// <returns><c>postgres</c>, else <c>nobody</c>; <see langword="null"/> when this process is not root.</returns>
    public static UnprivilegedAccount? Find()
    {
        if (EffectiveUser() != 0)
        {
            return null;
        }

        var accounts = File.ReadLines("/etc/passwd")
            .Select(line => line.Split(':'))
            .Where(fields => fields.Length > 3)
            .ToDictionary(fields => fields[0], fields => (User: uint.Parse(fields[2]), Group: uint.Parse(fields[3])));
        var name = new[] { "postgres", "nobody" }.FirstOrDefault(accounts.ContainsKey)
            ?? throw new InvalidOperationException(
                "PostgreSQL does not run as root, and neither 'postgres' nor 'nobody' exists here: add one, "
                + "or run as an ordinary user.");
        return new(name, accounts[name].User, accounts[name].Group);
    }

    /// <summary>Makes the account owner of the cluster's folder, and lets it pass through the folders above.</summary>
    public void TakeOver(string directory)
    {
        if (ChangeOwner(directory, UserId, GroupId) != 0)
        {
            throw new InvalidOperationException(
                $"Cannot give {directory} to {Name}: error {Marshal.GetLastPInvokeError()}.");
        }

        File.SetUnixFileMode(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (FindObstacle(directory) is { } obstacle)
        {
            throw new InvalidOperationException(
                $"{Name}, who runs PostgreSQL, cannot pass through {obstacle.FullName} (mode "
                + $"{Convert.ToString((int)obstacle.UnixFileMode, 8)}): run 'chmod o+x {obstacle.FullName}' or work "
                + "in another folder.");
        }
    }

    /// <summary>The nearest folder above that lets no other account through; null when there is none.</summary>
    public static DirectoryInfo? FindObstacle(string directory)
    {
        for (var parent = Directory.GetParent(directory); parent is { Parent: not null }; parent = parent.Parent)
        {
            if (parent.Exists && !parent.UnixFileMode.HasFlag(UnixFileMode.OtherExecute))
            {
                return parent;
            }
        }

        return null;
    }

    [DllImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint EffectiveUser();

    [DllImport("libc", EntryPoint = "chown", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ChangeOwner([MarshalAs(UnmanagedType.LPStr)] string path, uint user, uint group);
}
