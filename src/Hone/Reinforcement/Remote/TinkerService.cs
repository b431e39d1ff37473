using System.Net;
using System.Text.Json;

namespace Hone.Reinforcement;

/// <summary>What a Tinker service tells of itself, asked before anything is created on it. One that offers neither answer is an older one: it is taken as it is.</summary>
internal static class TinkerService
{
    private const string Health = "healthz";
    private const string Capabilities = "get_server_capabilities";

    /// <summary>Makes sure that the service is up and has the base model; the client then knows the model's context, where it is told.</summary>
    /// <exception cref="TrainingServiceException">The service is not well, or does not let the key in.</exception>
    /// <exception cref="TrainingNotSupportedException">It does not offer the base model. Nothing was created.</exception>
    public static async Task CheckAsync(TinkerClient client, CancellationToken cancellationToken)
    {
        await CheckHealthAsync(client, cancellationToken).ConfigureAwait(false);
        if (await AskAsync(client, Capabilities, cancellationToken).ConfigureAwait(false) is not { } told)
            return;
        var models = TinkerClient.Read(Capabilities, told, body => body.TryGetProperty("supported_models", out var list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray().Select(ModelOf).Where(model => model.Name is not null).ToArray()
            : []);
        if (models.Length == 0)
            return;
        var name = client.Options.BaseModel;
        client.ServiceContext = Array.Find(models, model => model.Name == name) is { Name: not null } found
            ? found.Context
            : throw new TrainingNotSupportedException(
                $"The Tinker service at {client.Options.Address} does not offer the base model '{name}'. It offers: {string.Join(", ", models.Select(model => $"'{model.Name}'"))}. "
                + $"Set {nameof(TinkerOptions)}.{nameof(TinkerOptions.BaseModel)} to one of these, with the tokenizer of the same model.")
            {
                Options = [$"{nameof(TinkerOptions)}.{nameof(TinkerOptions.BaseModel)}"],
            };
    }

    private static async Task CheckHealthAsync(TinkerClient client, CancellationToken cancellationToken)
    {
        JsonElement? told;
        try
        {
            told = await AskAsync(client, Health, cancellationToken).ConfigureAwait(false);
        }
        catch (TrainingServiceException error) when (error.Status >= 500)
        {
            throw Unwell(client, $"HTTP {error.Status}", error.Status, error);
        }

        if (told is { } body && body.TryGetProperty("status", out var status) && status.ValueKind == JsonValueKind.String && !status.ValueEquals("ok"))
            throw Unwell(client, $"'{status.GetString()}'", 200, null);
    }

    // Null where the service has no such address, or answers it with something else than an object.
    private static async Task<JsonElement?> AskAsync(TinkerClient client, string path, CancellationToken cancellationToken)
    {
        var reply = await client.GetAsync(path, cancellationToken).ConfigureAwait(false);
        if (reply.Status is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed)
            return null;
        return !reply.IsSuccess ? throw client.RefusedBy(path, reply) : reply.Body is { ValueKind: JsonValueKind.Object } ? reply.Body : null;
    }

    private static (string? Name, int? Context) ModelOf(JsonElement model) => model.ValueKind != JsonValueKind.Object
        ? default
        : (model.TryGetProperty("model_name", out var name) && name.ValueKind == JsonValueKind.String ? name.GetString() : null,
            model.TryGetProperty("max_context_length", out var length) && length.ValueKind == JsonValueKind.Number && length.TryGetInt32(out var tokens) && tokens > 0 ? tokens : null);

    private static TrainingServiceException Unwell(TinkerClient client, string said, int? status, Exception? error) => new(
        $"The Tinker service at {client.Options.Address} is not well: it answers {Health} with {said}. Nothing was created on it. Its log says what it lacks; start the run again when it is up.", error)
    {
        Operation = Health,
        Status = status,
    };
}
