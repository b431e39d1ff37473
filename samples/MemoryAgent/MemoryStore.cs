using System.ComponentModel;
using System.Text.Json;
using System.Text.RegularExpressions;
using Hone;
using Microsoft.Extensions.AI;

namespace MemoryAgent;

/// <summary>What the user says.</summary>
public sealed record Message(string Text);

/// <summary>What the agent says.</summary>
public sealed record Reply(string Answer);

/// <summary>A thing that is remembered.</summary>
public sealed record Memory(int Id, string Text);

/// <summary>Things in a file, and three tools on them.</summary>
internal sealed partial class MemoryStore
{
    private readonly string path;
    private readonly List<Memory> memories;

    private MemoryStore(string path, List<Memory> memories) => (this.path, this.memories) = (path, memories);

    public int Count => memories.Count;

    /// <summary>Reads the file; where there is none, nothing is known.</summary>
    public static async Task<MemoryStore> OpenAsync(string path, CancellationToken cancellationToken) => new(path, !File.Exists(path) ? []
        : await DataFiles.ReadJsonAsync(path, cancellationToken).Select(row => new Memory(Convert.ToInt32(row.Value("Id")), row.Text("Text"))).ToListAsync(cancellationToken));

    public AIFunction[] Tools() => [AIFunctionFactory.Create(Remember, "remember"), AIFunctionFactory.Create(Recall, "recall"), AIFunctionFactory.Create(Forget, "forget")];

    [Description("Keeps a thing for later conversations.")]
    private string Remember([Description("One short sentence")] string text)
    {
        var memory = new Memory(memories.Count == 0 ? 1 : memories[^1].Id + 1, text);
        memories.Add(memory);
        Save();
        return $"Kept as {memory.Id}.";
    }

    [Description("Finds what is remembered, the most fitting first.")]
    private Memory[] Recall([Description("A few words")] string query) =>
        [.. memories.Where(memory => Shared(memory.Text, query) > 0).OrderByDescending(memory => Shared(memory.Text, query)).ThenByDescending(memory => memory.Id).Take(3)];

    private static int Shared(string one, string other) => Words(one).Intersect(Words(other)).Count();

    [Description("Drops a thing for good.")]
    private string Forget(int id)
    {
        if (memories.RemoveAll(memory => memory.Id == id) == 0)
            throw new ArgumentException($"Nothing is kept as {id}. Recall it first.");
        Save();
        return "Forgotten.";
    }

    private void Save() => File.WriteAllText(path, JsonSerializer.Serialize(memories));

    // The first letters stand for the word: lives and live, allergic and allergy.
    private static HashSet<string> Words(string text) => [.. Word().Matches(text.ToLowerInvariant()).Select(match => match.Value[..3])];

    [GeneratedRegex(@"\w{3,}")]
    private static partial Regex Word();
}
