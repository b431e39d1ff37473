using Hone.Mcp.TestServer;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

// The server over standard input and output: nothing else may be written there.
var host = Host.CreateApplicationBuilder();
host.Logging.ClearProviders();
host.Services.AddMcpServer().WithStdioServerTransport().WithTestTools();
await host.Build().RunAsync();
