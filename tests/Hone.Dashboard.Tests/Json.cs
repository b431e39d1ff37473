using System.Text.Json;

namespace Hone.DashboardTests;

internal static class Json
{
    public static async Task<JsonDocument> GetAsync(HttpClient client, string path, CancellationToken cancellationToken) =>
        JsonDocument.Parse(await client.GetStringAsync(path, cancellationToken));
}
