using System.Text.Json;
using FeedbackLoop.Infra.Provider;
using Microsoft.AspNetCore.Server.Kestrel.Core;

// ProviderStandIn SCHEMA SOCKET: prints what TF_REATTACH_PROVIDERS has to hold, and serves until it is stopped.
if (args is not [var schemaFile, var socket])
{
    return 2;
}

var schema = ProviderSchema.Load(schemaFile);
var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.WebHost.ConfigureKestrel(kestrel =>
{
    kestrel.ListenUnixSocket(socket, listen => listen.Protocols = HttpProtocols.Http2);
    kestrel.Limits.MaxRequestBodySize = null;
});
builder.Services.AddGrpc(grpc =>
{
    (grpc.MaxReceiveMessageSize, grpc.MaxSendMessageSize) = (null, null);
    grpc.EnableDetailedErrors = true;
});
builder.Services.AddSingleton(schema);
var app = builder.Build();
app.MapGrpcService<ProviderService>();
await app.StartAsync();

var server = new
{
    Protocol = "grpc",
    ProtocolVersion = 6,
    Pid = Environment.ProcessId,
    Test = true,
    Addr = new { Network = "unix", String = socket },
};
#pragma warning disable RS0030 // Who starts it reads the answer from standard output.
await Console.Out.WriteLineAsync(JsonSerializer.Serialize(new Dictionary<string, object> { [schema.Address] = server }));
#pragma warning restore RS0030

await app.WaitForShutdownAsync();
return 0;
