using Google.Cloud.Functions.Hosting;
using Sample;

return await EntryPoint.StartAsync(typeof(HelloFunction).Assembly, args);
