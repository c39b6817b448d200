using System.Runtime.InteropServices;
using FeedbackLoop.Local;

using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop); // the terminal was closed

var (options, problem) = RunOptions.Parse(args);
if (options is null)
{
    Console.Error.WriteLine(problem);
    Console.Error.WriteLine(RunOptions.Help);
    return 2;
}

if (options.WantsHelp)
{
    Console.WriteLine(RunOptions.Help);
    return 0;
}

try
{
    return options.IsOnce
        ? await new MainJob(options).RunAsync(stop.Token)
        : await LocalInstallation.ServeAsync(options, stop.Token);
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return 130;
}
catch (LocalPostgresException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}
