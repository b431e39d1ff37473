using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace Hone;

/// <summary>
/// Makes of the options of a call what its client needs, and warns once a model and kind of options that will have no effect. The request goes out in any case.
/// </summary>
internal sealed class OptionCheck
{
    // Clients that are known to look at no option by the provider's name.
    private const string Anthropic = "anthropic";

    private readonly ConcurrentDictionary<(string Model, string Option), bool> warned = [];

    /// <summary>The options as the client must get them; the same object for most calls.</summary>
    public ChatOptions? Prepare(AttemptSettings settings, ChatOptions? options, IChatClient client)
    {
        if (options is not HoneChatOptions own)
            return options;
        if (own is { SampleId: not null, Temperature: 0 } && IsFirst(settings, nameof(CallOptions.SampleId)))
            HoneLog.SampleWithoutEffect(settings.Logger, own.SampleId.Value.ToString(CultureInfo.InvariantCulture), settings.Identity.Name, PathOf(own));
        var ignored = settings.Identity.Provider == Anthropic && own.AdditionalProperties is { Count: > 0 };
        var complete = settings.Identity.Provider == OpenAIOptions.Provider ? OpenAIOptions.Complete(own, client, out ignored) : own;
        if (ignored && IsFirst(settings, nameof(CallOptions.Additional)))
            HoneLog.OptionsIgnored(settings.Logger, string.Join(", ", own.AdditionalProperties!.Keys.Order(StringComparer.Ordinal)), settings.Identity.Name, PathOf(own));
        return Declared(complete, client);
    }

    // What a predictor's model asks for is the program's to run: a client that runs functions by itself would answer for the call before Hone sees it.
    private static HoneChatOptions Declared(HoneChatOptions options, IChatClient client)
    {
        if (options is not { Path: not null, Tools.Count: > 0 } || client.GetService<FunctionInvokingChatClient>() is null)
            return options;
        var copy = HoneChatOptions.CopyOf(options);
        copy.Tools = [.. options.Tools.Select(tool => tool is AIFunction function ? function.AsDeclarationOnly() : tool)];
        return copy;
    }

    private static string PathOf(HoneChatOptions options) => string.IsNullOrEmpty(options.Path) ? "a call" : $"predictor '{options.Path}'";

    private bool IsFirst(AttemptSettings settings, string option) =>
        settings.Logger.IsEnabled(LogLevel.Warning) && warned.TryAdd((settings.Identity.Name, option), true);
}
