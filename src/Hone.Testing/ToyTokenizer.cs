using System.Collections.Immutable;
using Hone.Reinforcement;
using Microsoft.Extensions.AI;

namespace Hone.Testing;

/// <summary>The tokens of a toy policy for services that speak tokens: one for each choice (a prompt) and one for each completion.</summary>
public sealed class ToyTokenizer : IPolicyTokenizer
{
    private readonly ImmutableArray<ToyChoice> choices;

    /// <summary>The tokens of a policy with these choices.</summary>
    public ToyTokenizer(params IReadOnlyList<ToyChoice> choices) => this.choices = [.. choices];

    /// <inheritdoc/>
    public IReadOnlyList<int> StopIds => [];

    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(IReadOnlyList<ChatMessage> messages) =>
        [ToyPolicy.ChoiceOf(choices, string.Join('\n', messages.Select(message => message.Text)))];

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The policy has no such completion.</exception>
    public IReadOnlyList<int> EncodeAnswer(string text)
    {
        for (var choice = 0; choice < choices.Length; choice++)
        {
            var completion = choices[choice].Completions.IndexOf(text);
            if (completion >= 0)
                return [IdOf(choice, completion)];
        }

        throw new ArgumentException($"The toy policy has no completion '{text}'.", nameof(text));
    }

    /// <inheritdoc/>
    public string Decode(IReadOnlyList<int> ids) => string.Concat(ids.Select(id => Find(id) is (var choice, var completion) ? choices[choice].Completions[completion] : string.Empty));

    /// <summary>The token of a completion.</summary>
    public int IdOf(int choice, int completion) => choices.Length + choices.Take(choice).Sum(other => other.Completions.Length) + completion;

    internal (int Choice, int Completion)? Find(int id)
    {
        var rest = id - choices.Length;
        for (var choice = 0; rest >= 0 && choice < choices.Length; choice++)
        {
            if (rest < choices[choice].Completions.Length)
                return (choice, rest);
            rest -= choices[choice].Completions.Length;
        }

        return null;
    }
}
