namespace FeedbackLoop.Local.Hosting;

/// <summary>How often something shall still happen; counted down by several requests at once.</summary>
internal sealed class CallCount
{
    private readonly Lock _lock = new();
    private int _left;

    public void Set(int calls)
    {
        lock (_lock)
        {
            _left = calls;
        }
    }

    /// <returns>Whether this call is one of those.</returns>
    public bool Take()
    {
        lock (_lock)
        {
            if (_left == 0)
            {
                return false;
            }

            _left--;
            return true;
        }
    }
}
