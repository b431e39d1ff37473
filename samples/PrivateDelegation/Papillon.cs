using Microsoft.Extensions.AI;

namespace PrivateDelegation;

/// <summary>What a person asks, personal details included.</summary>
public sealed record UserQuery(string Text);

/// <summary>What came of it: the request that left the house, what came back, and the answer; what a good answer looks like, in an example.</summary>
public sealed record Delegation(string Request, string Reply, string Answer)
{
    /// <summary>Personal details in the query.</summary>
    public IReadOnlyList<string> Details { get; init; } = [];
}

/// <summary>
/// Answers with the help of a strong model that is not trusted (PAPILLON, arXiv 2410.17127): a local model writes a request without personal details,
/// the strong one replies, the local one answers.
/// </summary>
/// <param name="untrusted">The strong model.</param>
/// <param name="swallowsFailures">
/// True answers with nothing when a step fails, as the tutorial's program does. A metric can then reward failing; here for demonstration only.
/// </param>
public sealed partial class Papillon(LM untrusted, bool swallowsFailures = false) : Module<UserQuery, Delegation>
{
    [ChainOfThought("Write a request to a strong external model that helps to answer the query, without personal details.", Output = "llm_request")]
    private partial Task<string> CraftRedactedRequest(string userQuery, CancellationToken cancellationToken);

    [Predict("Answer the query with the help of the external model's reply.", Output = "response")]
    private partial Task<string> RespondToQuery(string relatedLlmRequest, string relatedLlmResponse, string userQuery, CancellationToken cancellationToken);

    /// <inheritdoc/>
    protected override async Task<Delegation> ForwardAsync(UserQuery input, CancellationToken cancellationToken)
    {
        try
        {
            var request = await CraftRedactedRequest(input.Text, cancellationToken);
            var reply = await untrusted.AsChatClient().GetResponseAsync(request, null, cancellationToken);
            return new(request, reply.Text, await RespondToQuery(request, reply.Text, input.Text, cancellationToken));
        }
        catch (AdapterParseException) when (swallowsFailures)
        {
            return new(string.Empty, string.Empty, string.Empty);
        }
    }
}
