using FeedbackLoop.Runs;

namespace FeedbackLoop.Scheduling.Tests.TwoWeeks;

/// <summary>Times of day in a zone. Found minute by minute, so that no cron library has to be believed.</summary>
/// <param name="Weekdays">0 is Sunday; empty: every day.</param>
internal sealed record DailyTimes(int Minute, int[] Hours, int[] Weekdays, string Zone)
{
    private IReadOnlyList<DateTimeOffset>? _slots;

    public string Expression =>
        $"{Minute} {string.Join(',', Hours)} * * {(Weekdays.Length == 0 ? "*" : string.Join(',', Weekdays))}";

    /// <summary>Slots later than <paramref name="after"/>, up to <paramref name="to"/>.</summary>
    public IEnumerable<DateTimeOffset> Between(DateTimeOffset after, DateTimeOffset to) =>
        (_slots ??= Find()).SkipWhile(slot => slot <= after).TakeWhile(slot => slot <= to);

    // None of the zones goes forward within the two weeks. A time of day that comes twice counts the first time.
    private DateTimeOffset[] Find()
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(Zone);
        var seen = new HashSet<DateTime>();
        return [.. Enumerable.Range(0, (int)(Fortnight.End - Fortnight.Start).TotalMinutes)
            .Select(minute => Fortnight.Start.AddMinutes(minute))
            .Where(instant =>
            {
                var local = TimeZoneInfo.ConvertTime(instant, zone).DateTime;
                return local.Minute == Minute
                    && Hours.Contains(local.Hour)
                    && (Weekdays.Length == 0 || Weekdays.Contains((int)local.DayOfWeek))
                    && seen.Add(local);
            })];
    }
}

/// <summary>What a person set, and when.</summary>
internal sealed record SettingsChange(DateTimeOffset At, ScheduleSettings Settings, DailyTimes? Times)
{
    public DailyTimes? ActiveTimes => Settings is { Enabled: true, CronEnabled: true } ? Times : null;

    public bool IsWatching => Settings is { Enabled: true, ThresholdEnabled: true } or { Enabled: true, RetrainOnGeneralUpdate: true };
}

/// <summary>A scope, and what people set of its schedule in the course of the time.</summary>
internal sealed class SimulatedSchedule(int index, Scope scope)
{
    private readonly List<SettingsChange> _changes = [];

    public int Index => index;

    public Scope Scope => scope;

    /// <summary>Known once it is saved.</summary>
    public Guid Id { get; set; }

    public IReadOnlyList<SettingsChange> Changes => _changes;

    public SettingsChange Current => _changes[^1];

    public void Add(SettingsChange change) => _changes.Add(change);

    public SettingsChange At(DateTimeOffset at) => _changes.Last(change => change.At <= at);

    /// <summary>Since when the settings have had a certain part as they have it at a time.</summary>
    public DateTimeOffset Since<T>(DateTimeOffset at, Func<SettingsChange, T> part)
    {
        var changes = _changes.Where(change => change.At <= at).Reverse().ToArray();
        return changes.TakeWhile(change => Equals(part(change), part(changes[0]))).Last().At;
    }

    /// <summary>When the settings that hold at a time are replaced.</summary>
    public DateTimeOffset Until(DateTimeOffset at) =>
        _changes.FirstOrDefault(change => change.At > at)?.At ?? Fortnight.End;
}
