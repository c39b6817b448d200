using FeedbackLoop.ScheduleTicks;
using Google.Cloud.Functions.Hosting;

return await EntryPoint.StartAsync(typeof(Function).Assembly, args);
