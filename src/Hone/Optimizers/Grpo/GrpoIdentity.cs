using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>What makes a run the same run: the program with its state and models, the options, every value of both sets, the version of Hone.</summary>
internal static class GrpoIdentity
{
    public static RunIdentity Of<TIn, TOut>(Program<TIn, TOut> program, GrpoOptions options, GrpoData<TIn, TOut> data) => new(
        "grpo",
        string.Join(", ", program.Predictors.Select(entry => $"{entry.Key}: {entry.Value}")),
        RunIdentity.Words(GrpoSettings.Of(options, data.Teachers.Count), RunJson.Default.GrpoSettings),
        DigestOf(data.Train))
    {
        Validation = data.Validation is { } validation ? DigestOf(validation) : null,
        State = Digest($"{program.Adapter.Name}\n{ProgramFileWriter.Write(Nameless(program), weights: null)}"),
        Models = ModelsOf(program),
        Teachers = data.Teachers.Count == 0 ? null : string.Join(", ", data.Teachers.Select((teacher, index) => CandidateKeys.Of(teacher, $"teacher{index}"))),
        Version = typeof(GrpoIdentity).Assembly.GetName().Version!.ToString(),
    };

    // What its model is called is no part of a program's state.
    private static Program<TIn, TOut> Nameless<TIn, TOut>(Program<TIn, TOut> program) => program.Model is { } model ? program.WithModel(model with { Name = "model" }) : program;

    // In words: a person who reads that the models differ wants to know how. Weights count by their values: the same ones loaded from a folder have another name,
    // and others may have this one.
    private static string ModelsOf<TIn, TOut>(Program<TIn, TOut> program)
    {
        var named = program.NamedModels.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => $"{entry.Key} = {TextOf(entry.Value)}");
        return string.Join(", ", program.Model is { } own ? named.Prepend(TextOf(own)) : named);
    }

    private static string TextOf(LM model)
    {
        var options = JsonSerializer.Serialize(model.Options, ProgramFileJson.Default.CallOptions);
        var name = model.GetService<ITrainableModel>()?.WeightsDigest is { } digest ? $"weights {digest}" : model.Name;
        return options == "{}" ? name : $"{name} {options}";
    }

    private static string DigestOf<TIn, TOut>(IReadOnlyList<Example<TIn, TOut>> examples)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var example in examples)
            hash.AppendData(Encoding.UTF8.GetBytes($"{ValueText.Of(example.Input)}\u0001{ValueText.Of(example.Expected)}\u0002{ValueText.Of(example.Labels)}\u0003"));
        return $"{examples.Count} examples, {Convert.ToHexStringLower(hash.GetHashAndReset())[..16]}";
    }

    private static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
}
