using FeedbackLoop.Extract;
using Google.Cloud.Functions.Hosting;

return await EntryPoint.StartAsync(typeof(Function).Assembly, args);
