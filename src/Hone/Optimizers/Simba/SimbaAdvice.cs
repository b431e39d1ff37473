using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hone.Optimizers;

/// <summary>Two attempts of a program at the same example, for a model that finds out what made the difference.</summary>
/// <param name="Program">The program: its modules with their fields and instructions.</param>
/// <param name="Inputs">What went in.</param>
/// <param name="Labels">What was asked for; the modules do not see it.</param>
/// <param name="WorseAttempt">What each module did, and what came out, in the attempt that scored lower.</param>
/// <param name="WorseScore">Its score, with what the metric said.</param>
/// <param name="BetterAttempt">The same of the attempt that scored higher.</param>
/// <param name="BetterScore">Its score.</param>
/// <param name="Modules">Names of the modules, separated by commas.</param>
public sealed record AdviceRequest(
    string Program, string Inputs, string Labels, string WorseAttempt, string WorseScore, string BetterAttempt, string BetterScore, string Modules);

/// <summary>What each module should do differently.</summary>
/// <param name="Discussion">Which module is to blame, and why.</param>
/// <param name="Advice">One piece of advice a module, by its name.</param>
public sealed record AdviceReply(string Discussion, IReadOnlyDictionary<string, string> Advice);

/// <summary>The meta-prompt of <see cref="Simba{TIn,TOut}"/>: contrasts two attempts and advises the modules.</summary>
public static class SimbaAdvice
{
    /// <summary>The module that is used unless another is given.</summary>
    public static Module<AdviceRequest, AdviceReply> Default { get; } = new Predict<AdviceRequest, AdviceReply>("""
        A program made of several modules was run twice on the same inputs, and one attempt scored higher than the other. Compare the two attempts step by
        step and find the decision that made the difference; say which module took it.

        Then advise the modules, each by its exact name and each at most once. A module reads your advice together with new inputs and never sees these
        attempts, so name the kind of situation and what to do in it: "When the input looks like X, do Y and avoid Z." Be concrete enough that it changes
        what the module writes, and general enough that it holds for other inputs of the same kind. Speak only of the part of the work that the module
        does itself. Leave out what any module knows anyway, and modules that did nothing wrong.
        """);
}

/// <summary>Instructions that have grown too long.</summary>
/// <param name="Instructions">The instructions.</param>
/// <param name="MostWords">How many words the shorter ones may have.</param>
public sealed record ConsolidationRequest(string Instructions, int MostWords);

/// <summary>The meta-prompt that shortens instructions which advice has made too long.</summary>
internal static class SimbaConsolidation
{
    public static Module<ConsolidationRequest, InstructionReply> Default { get; } = new Predict<ConsolidationRequest, InstructionReply>("""
        The instructions of a module have grown by one rule after the other and are too long. Write them anew within the given number of words: keep the task
        and every fact that a model could not guess, join rules that say the same, resolve contradictions in favour of the later rule, and leave out what goes
        without saying. The text replaces the old one, so it must be complete.
        """);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(AdviceReply))]
internal sealed partial class SimbaJson : JsonSerializerContext;
