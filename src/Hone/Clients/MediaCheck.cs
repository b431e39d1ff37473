using System.Collections.Concurrent;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace Hone;

/// <summary>
/// Warns once a model and kind when a request holds media that the model is not known to take, or that its client does not send. The request goes
/// out as it is: what a model takes is a guess by its family, and the provider knows better.
/// </summary>
internal sealed class MediaCheck
{
    private readonly ConcurrentDictionary<(string Model, string Capability), bool> warned = [];

    /// <summary>Looks at every part of the messages; allocates nothing unless there is something to warn of.</summary>
    public void Warn(AttemptSettings settings, IReadOnlyList<ChatMessage> messages, ChatOptions? options)
    {
        if (!settings.Logger.IsEnabled(LogLevel.Warning))
            return;
        var known = settings.Capabilities;
        for (var i = 0; i < messages.Count; i++)
        {
            var contents = messages[i].Contents;
            for (var j = 0; j < contents.Count; j++)
            {
                if (IsDropped(settings.Identity.Provider, contents[j], out var mediaType))
                {
                    if (warned.TryAdd((settings.Identity.Name, mediaType), true))
                        HoneLog.MediaNotSent(settings.Logger, mediaType, settings.Identity.Name, CallerOf(ClientIdentity.PathOf(options)));
                    continue;
                }

                if (known is null || CapabilityFor(contents[j]) is not { } capability || IsKnown(known, capability))
                    continue;
                if (warned.TryAdd((settings.Identity.Name, capability), true))
                    Log(settings, capability, ClientIdentity.PathOf(options));
            }
        }
    }

    // The clients of OpenAI and Anthropic leave data of formats that they do not know out of the request, without a word.
    private static bool IsDropped(string? provider, AIContent content, out string mediaType)
    {
        mediaType = (content as DataContent)?.MediaType ?? string.Empty;
        return mediaType.Length > 0 && provider switch
        {
            OpenAIOptions.Provider => MediaTypes.IsIn(mediaType, "text") || IsUnknownApplication(mediaType),
            "anthropic" => IsUnknownApplication(mediaType),
            _ => false,
        };
    }

    private static bool IsUnknownApplication(string mediaType) =>
        MediaTypes.IsIn(mediaType, "application") && !mediaType.Equals("application/pdf", StringComparison.OrdinalIgnoreCase);

    private static string CallerOf(string path) => path.Length == 0 ? "a call" : $"predictor '{path}'";

    // Name of the capability that a part needs; null for a part that is no media.
    private static string? CapabilityFor(AIContent content)
    {
        if (content is not (DataContent or UriContent or HostedFileContent))
            return null;
        return MediaContents.IsKind(content, MediaContents.Image) ? nameof(ModelCapabilities.Images)
            : MediaContents.IsKind(content, MediaContents.Audio) ? nameof(ModelCapabilities.Audio)
            : nameof(ModelCapabilities.Documents);
    }

    private static bool IsKnown(ModelCapabilities known, string capability) => capability switch
    {
        nameof(ModelCapabilities.Images) => known.Images,
        nameof(ModelCapabilities.Audio) => known.Audio,
        _ => known.Documents,
    };

    private static void Log(AttemptSettings settings, string capability, string path)
    {
        var kind = capability switch
        {
            nameof(ModelCapabilities.Images) => "an image",
            nameof(ModelCapabilities.Audio) => "a sound",
            _ => "a document or file",
        };
        HoneLog.MediaNotKnown(settings.Logger, CallerOf(path), settings.Identity.Name, kind, capability);
    }
}
