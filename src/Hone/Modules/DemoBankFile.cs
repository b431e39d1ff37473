using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone;

/// <summary>Demo banks as they stand in program files: everything that a loaded program needs to choose the same demos, embeddings included.</summary>
internal static class DemoBankFile
{
    public static JsonObject Write(ImmutableSortedDictionary<string, DemoBank> banks) =>
        new(banks.Select(entry => KeyValuePair.Create<string, JsonNode?>(entry.Key, Write(entry.Value))));

    /// <summary>The banks of a file.</summary>
    /// <param name="banks">What <see cref="Write(ImmutableSortedDictionary{string, DemoBank})"/> gave; null when the file has none.</param>
    /// <param name="holders">Paths where the module needs a bank.</param>
    /// <param name="predictors">The module's predictors.</param>
    /// <param name="source">The file.</param>
    /// <exception cref="HoneException">The file does not fit the module.</exception>
    public static ImmutableSortedDictionary<string, DemoBank> Read(
        JsonElement? banks, IReadOnlyList<string> holders, IReadOnlyList<KeyValuePair<string, Predictor>> predictors, ProgramFileSource source)
    {
        var read = ProgramState.Default.DemoBanks;
        foreach (var entry in banks?.EnumerateObject().ToArray() ?? [])
        {
            if (holders.Contains(entry.Name, StringComparer.Ordinal))
                read = read.SetItem(entry.Name, Read(entry.Value, entry.Name, predictors.ToDictionary(StringComparer.Ordinal), source));
            else
                source.Refuse($"the file has a demo bank '{entry.Name}' that the module has no KnnDemos for. It has: {(holders.Count == 0 ? "none" : string.Join(", ", holders))}");
        }

        foreach (var missing in holders.Where(holder => !read.ContainsKey(holder)))
            source.Refuse($"the module has a KnnDemos '{missing}' and the file no demo bank for it");
        return read;
    }

    private static JsonObject Write(DemoBank bank) => new()
    {
        ["nearest"] = bank.Nearest,
        ["maxBootstrapped"] = bank.MaxBootstrapped,
        ["maxLabeled"] = bank.MaxLabeled,
        ["fields"] = new JsonArray([.. bank.Fields.Select(name => JsonValue.Create(name))]),
        ["examples"] = new JsonArray([.. bank.Examples.Select(Write)]),
    };

    private static JsonObject Write(BankedExample example)
    {
        var entry = new JsonObject { ["vector"] = Convert.ToBase64String(Bytes(example.Vector)), ["labeled"] = Write(example.Labeled) };
        if (example.Harvested is not null)
            entry["harvested"] = Write(example.Harvested);
        return entry;
    }

    private static JsonObject Write(ImmutableSortedDictionary<string, Demo> demos) =>
        new(demos.Select(demo => KeyValuePair.Create<string, JsonNode?>(demo.Key, ProgramFileWriter.Write(demo.Value))));

    private static DemoBank Read(JsonElement bank, string path, IReadOnlyDictionary<string, Predictor> predictors, ProgramFileSource source)
    {
        var number = 0;
        return new()
        {
            Nearest = bank.GetProperty("nearest").GetInt32(),
            MaxBootstrapped = bank.GetProperty("maxBootstrapped").GetInt32(),
            MaxLabeled = bank.GetProperty("maxLabeled").GetInt32(),
            Fields = [.. bank.GetProperty("fields").EnumerateArray().Select(field => field.GetString()!)],
            Examples = [.. bank.GetProperty("examples").EnumerateArray().Select(Example)],
        };

        BankedExample Example(JsonElement entry)
        {
            var where = $"demo bank '{path}', example {number++}";
            return new(Vector(entry.GetProperty("vector").GetBytesFromBase64()), Demos(entry.GetProperty("labeled"), where))
            {
                Harvested = entry.TryGetProperty("harvested", out var harvested) ? Demos(harvested, where) : null,
            };
        }

        ImmutableSortedDictionary<string, Demo> Demos(JsonElement demos, string where)
        {
            var read = ImmutableSortedDictionary.CreateBuilder<string, Demo>(StringComparer.Ordinal);
            foreach (var demo in demos.EnumerateObject())
            {
                if (!predictors.TryGetValue(DemoBankBinder.PathOf(path, demo.Name), out var predictor))
                    source.Refuse($"{where} has a demo of a predictor '{demo.Name}' that the module lacks");
                else if (ProgramFileReader.ReadDemo(demo.Value, predictor.Signature, source, where) is { } known)
                    read.Add(demo.Name, known);
            }

            return read.ToImmutable();
        }
    }

    private static byte[] Bytes(ImmutableArray<float> vector)
    {
        var bytes = new byte[vector.Length * sizeof(float)];
        for (var i = 0; i < vector.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), vector[i]);
        return bytes;
    }

    private static ImmutableArray<float> Vector(byte[] bytes)
    {
        var vector = ImmutableArray.CreateBuilder<float>(bytes.Length / sizeof(float));
        for (var i = 0; i < bytes.Length / sizeof(float); i++)
            vector.Add(BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(i * sizeof(float))));
        return vector.MoveToImmutable();
    }
}
