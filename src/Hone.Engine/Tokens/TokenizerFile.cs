using System.Text.Json;

namespace Hone.Engine;

/// <summary>What a byte-level BPE <c>tokenizer.json</c> says, read once.</summary>
internal sealed class TokenizerFile
{
    // Far above any vocabulary there is: an id beyond it is no id, and would ask for memory that there is not.
    private const int MostTokens = 1 << 24;

    private readonly string _source;

    private TokenizerFile(string source) => _source = source;

    public Dictionary<string, int> Vocabulary { get; } = new(StringComparer.Ordinal);
    public List<(int Left, int Right, int Merged)> Merges { get; } = [];
    public List<AddedToken> AddedTokens { get; } = [];
    public bool IgnoreMerges { get; private set; }
    public bool ComposesText { get; private set; }
    public PreTokenizer PreTokenizer { get; private set; } = new PreTokenizerSequence([]);

    /// <summary>Ids that the template puts before and after a text.</summary>
    public List<int> TemplatePrefix { get; } = [];
    public List<int> TemplateSuffix { get; } = [];

    /// <summary>Reads the file; every feature that would change ids and is not supported is an error.</summary>
    public static TokenizerFile Parse(JsonElement root, string source)
    {
        var file = new TokenizerFile(source);
        file.ReadModel(Required(root, "model", source));
        if (Optional(root, "added_tokens") is { } added)
            foreach (var token in added.EnumerateArray()) file.AddedTokens.Add(file.ReadAddedToken(token, file.AddedTokens.Count));
        if (Optional(root, "normalizer") is { } normalizer) file.ReadNormalizer(normalizer);
        if (Optional(root, "pre_tokenizer") is { } preTokenizer) file.PreTokenizer = file.ReadPreTokenizer(preTokenizer);
        if (Optional(root, "post_processor") is { } postProcessor) file.ReadPostProcessor(postProcessor);
        if (Optional(root, "decoder") is { } decoder && TypeOf(decoder) != "ByteLevel")
            throw file.Unsupported("decoder", TypeOf(decoder), "ByteLevel");
        return file;
    }

    private void ReadModel(JsonElement model)
    {
        var type = Optional(model, "type")?.GetString() ?? "BPE";
        if (type != "BPE") throw Unsupported("model", type, "BPE");
        if (Flag(model, "byte_fallback")) throw Unsupported("model", "BPE with byte_fallback", "byte-level BPE");
        foreach (var key in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
            if (Optional(model, key)?.GetString() is { Length: > 0 } text) throw Unsupported("model." + key, text, "none");
        IgnoreMerges = Flag(model, "ignore_merges");
        foreach (var entry in Required(model, "vocab", _source).EnumerateObject()) Vocabulary[entry.Name] = IdOf(entry.Value, "model.vocab", entry.Name);
        var index = 0;
        foreach (var merge in Required(model, "merges", _source).EnumerateArray()) ReadMerge(merge, index++);
    }

    private void ReadMerge(JsonElement merge, int index)
    {
        string left, right;
        if (merge.ValueKind == JsonValueKind.String)
        {
            var text = merge.GetString()!;
            var space = text.IndexOf(' ', StringComparison.Ordinal);
            if (space <= 0)
                throw new InvalidDataException($"{_source}: model.merges[{index}] is '{text}'; expected two tokens with a space between.");
            (left, right) = (text[..space], text[(space + 1)..]);
        }
        else
        {
            if (merge is not { ValueKind: JsonValueKind.Array } || merge.GetArrayLength() != 2
                || merge[0].ValueKind != JsonValueKind.String || merge[1].ValueKind != JsonValueKind.String)
                throw new InvalidDataException($"{_source}: model.merges[{index}] is {merge.GetRawText()}; expected two tokens.");
            (left, right) = (merge[0].GetString()!, merge[1].GetString()!);
        }
        Merges.Add((MergeId(left, index), MergeId(right, index), MergeId(left + right, index)));
    }

    private int MergeId(string token, int index) => Vocabulary.TryGetValue(token, out var id) ? id
        : throw new InvalidDataException($"{_source}: model.merges[{index}] needs the token '{token}', which model.vocab lacks.");

    private int IdOf(JsonElement value, string section, string name) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var id) && id is >= 0 and < MostTokens ? id
        : throw new InvalidDataException($"{_source}: {section}['{name}'] is {value.GetRawText()}; expected a token id, a whole number from 0 on.");

    private AddedToken ReadAddedToken(JsonElement token, int index) => new(
        IdOf(Required(token, "id", _source), $"added_tokens[{index}]", "id"), Text(token, "content"), Flag(token, "single_word"), Flag(token, "lstrip"),
        Flag(token, "rstrip"), Flag(token, "normalized"), Flag(token, "special"));

    private void ReadNormalizer(JsonElement normalizer)
    {
        switch (TypeOf(normalizer))
        {
            case "NFC": ComposesText = true; break;
            case "Sequence":
                foreach (var step in Items(normalizer, "normalizers")) ReadNormalizer(step);
                break;
            default: throw Unsupported("normalizer", TypeOf(normalizer), "NFC, or none");
        }
    }

    private PreTokenizer ReadPreTokenizer(JsonElement step)
    {
        switch (TypeOf(step))
        {
            case "Sequence":
                var steps = Items(step, "pretokenizers").Select(ReadPreTokenizer).ToList();
                return steps.Count == 1 ? steps[0] : new PreTokenizerSequence(steps);
            case "ByteLevel":
                return new ByteLevelPreTokenizer(Flag(step, "add_prefix_space"), Optional(step, "use_regex")?.GetBoolean() ?? true);
            case "Digits":
                return new DigitsPreTokenizer(Flag(step, "individual_digits"));
            case "Split":
                var behavior = Optional(step, "behavior")?.GetString();
                // With "Removed" and "invert" the matches are the pieces; the other spelling of the same thing.
                var keepsAll = behavior == "Isolated" || (behavior == "Removed" && Flag(step, "invert"));
                if (!keepsAll) throw Unsupported("pre_tokenizer Split behavior", behavior ?? "null", "Isolated");
                var pattern = Required(step, "pattern", _source);
                var expression = Optional(pattern, "Regex")?.GetString()
                    ?? System.Text.RegularExpressions.Regex.Escape(Text(pattern, "String"));
                return new SplitPreTokenizer(SplitPatterns.Compile(expression, _source));
            default:
                throw Unsupported("pre_tokenizer", TypeOf(step), "Sequence, Split, Digits or ByteLevel");
        }
    }

    private void ReadPostProcessor(JsonElement step)
    {
        switch (TypeOf(step))
        {
            case "ByteLevel": break; // only trims offsets
            case "Sequence":
                foreach (var part in Items(step, "processors")) ReadPostProcessor(part);
                break;
            case "TemplateProcessing": ReadTemplate(step); break;
            default: throw Unsupported("post_processor", TypeOf(step), "ByteLevel or TemplateProcessing");
        }
    }

    private void ReadTemplate(JsonElement template)
    {
        var ids = TemplatePrefix;
        var special = Required(template, "special_tokens", _source);
        foreach (var part in Items(template, "single"))
        {
            if (Optional(part, "SpecialToken") is { } token)
            {
                var name = Text(token, "id");
                ids.AddRange(Items(Required(special, name, _source), "ids").Select(id => IdOf(id, "post_processor.special_tokens", name)));
            }
            else
            {
                Required(part, "Sequence", _source);
                ids = TemplateSuffix;
            }
        }
    }

    private InvalidDataException Unsupported(string part, string? found, string expected) => new(
        $"{_source}: {part} is '{found}', which Hone.Engine does not read; expected {expected}. Only byte-level BPE tokenizers are supported.");

    private string Text(JsonElement element, string name) => Required(element, name, _source) is { ValueKind: JsonValueKind.String } text ? text.GetString()!
        : throw Odd(element, name, "a string");

    private IEnumerable<JsonElement> Items(JsonElement element, string name) => Required(element, name, _source) is { ValueKind: JsonValueKind.Array } list
        ? list.EnumerateArray() : throw Odd(element, name, "a list");

    private InvalidDataException Odd(JsonElement element, string name, string expected) =>
        new($"{_source}: the key '{name}' is {element.GetProperty(name).GetRawText()}; expected {expected}.");

    private static string? TypeOf(JsonElement element) => Optional(element, "type")?.GetString();

    private static bool Flag(JsonElement element, string name) => Optional(element, name) is { ValueKind: JsonValueKind.True };

    private static JsonElement? Optional(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value)
            && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined) ? value : null;

    private static JsonElement Required(JsonElement element, string name, string source) =>
        Optional(element, name) ?? throw new InvalidDataException($"{source}: the key '{name}' is missing; expected a Hugging Face tokenizer.json.");
}
