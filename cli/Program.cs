using FeedbackLoop.Cli;

return await CommandRunner.RunAsync(FeedbackloopCommand.Create(TimeProvider.System), args);
