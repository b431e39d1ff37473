using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Hone.Engine;

/// <summary>
/// A byte-level BPE tokenizer as stored in a Hugging Face <c>tokenizer.json</c> (Qwen, Llama 3, GPT-2, SmolLM). Ids agree with the native
/// library. Thread-safe.
/// </summary>
public sealed class Tokenizer : ITokenTextSource
{
    private readonly TokenizerFile _file;
    private readonly BytePairEncoder _encoder;
    private readonly AddedTokenMatcher _rawTokens, _rawTokensButSpecial, _normalizedTokens, _normalizedTokensButSpecial;
    private readonly byte[]?[] _bytes;
    private readonly string?[] _spellings;
    private readonly bool[] _special;
    private readonly Dictionary<string, int> _addedIds = new(StringComparer.Ordinal);

    private Tokenizer(TokenizerFile file)
    {
        _file = file;
        VocabularySize = 1 + file.Vocabulary.Values.Concat(file.AddedTokens.Select(token => token.Id)).DefaultIfEmpty(-1).Max();
        _bytes = new byte[VocabularySize][];
        _spellings = new string[VocabularySize];
        _special = new bool[VocabularySize];
        foreach (var (spelling, id) in file.Vocabulary) SetToken(id, spelling);
        foreach (var token in file.AddedTokens)
        {
            SetToken(token.Id, token.Content);
            _special[token.Id] = token.Special;
            _addedIds[token.Content] = token.Id;
        }
        var idOfByte = new int[256];
        for (var value = 0; value < 256; value++)
            idOfByte[value] = file.Vocabulary.GetValueOrDefault(ByteAlphabet.ToChar((byte)value).ToString(), -1);
        _encoder = new BytePairEncoder(idOfByte, file.Merges, file.IgnoreMerges ? file.Vocabulary : null);
        _rawTokens = new AddedTokenMatcher(file.AddedTokens.Where(token => !token.Normalized));
        _rawTokensButSpecial = new AddedTokenMatcher(file.AddedTokens.Where(token => token is { Normalized: false, Special: false }));
        _normalizedTokens = new AddedTokenMatcher(file.AddedTokens.Where(token => token.Normalized));
        _normalizedTokensButSpecial = new AddedTokenMatcher(file.AddedTokens.Where(token => token is { Normalized: true, Special: false }));
    }

    /// <summary>The highest id plus one. A model's logits may be wider (padded vocabularies).</summary>
    public int VocabularySize { get; }

    /// <summary>The file as it was read.</summary>
    internal ReadOnlyMemory<byte> Json { get; private init; }

    /// <summary>Reads <c>tokenizer.json</c> from a directory, or the file itself.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is not a byte-level BPE tokenizer that is fully understood.</exception>
    public static Tokenizer Load(string path)
    {
        var file = Directory.Exists(path) ? Path.Combine(path, "tokenizer.json") : path;
        if (!File.Exists(file))
            throw new FileNotFoundException(
                $"No tokenizer at '{file}'. Expected a directory with a Hugging Face tokenizer.json, or the path of that file.", file);
        using var stream = File.OpenRead(file);
        return Load(stream, file);
    }

    /// <summary>Reads the JSON of a <c>tokenizer.json</c>; <paramref name="source"/> names it in errors.</summary>
    /// <exception cref="InvalidDataException">The JSON is not a byte-level BPE tokenizer that is fully understood.</exception>
    public static Tokenizer Load(Stream json, string source = "tokenizer.json")
    {
        try
        {
            using var content = new MemoryStream();
            json.CopyTo(content);
            var bytes = content.ToArray();
            using var document = JsonDocument.Parse(bytes);
            return new Tokenizer(TokenizerFile.Parse(document.RootElement, source)) { Json = bytes };
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new InvalidDataException($"{source}: not a tokenizer.json in the Hugging Face layout ({error.Message}).", error);
        }
    }

    /// <summary>The ids of a text.</summary>
    /// <param name="text">Any text; lone surrogates count as U+FFFD.</param>
    /// <param name="addSpecialTokens">Whether the file's template is applied (for example a begin-of-text token in front).</param>
    /// <param name="parseSpecialTokens">Whether special tokens spelled out in the text become their ids; false encodes them as plain text.</param>
    public int[] Encode(string text, bool addSpecialTokens = false, bool parseSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>(text.Length / 3 + 4);
        if (addSpecialTokens) ids.AddRange(_file.TemplatePrefix);
        var raw = parseSpecialTokens ? _rawTokens : _rawTokensButSpecial;
        var normalized = parseSpecialTokens ? _normalizedTokens : _normalizedTokensButSpecial;
        var pieces = new List<TextPiece>();
        var from = 0;
        while (from < text.Length)
        {
            var found = raw.TryFind(text, from, out var token, out var start, out var end);
            EncodeSection(text[from..(found ? start : text.Length)], normalized, pieces, ids);
            if (!found) break;
            ids.Add(token.Id);
            from = end;
        }
        if (addSpecialTokens) ids.AddRange(_file.TemplateSuffix);
        return [.. ids];
    }

    /// <summary>The text of ids. Bytes that are not UTF-8 become U+FFFD; ids outside the vocabulary stand for nothing.</summary>
    /// <param name="ids">Token ids.</param>
    /// <param name="skipSpecial">Whether special tokens are left out.</param>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecial = false)
    {
        var bytes = new ArrayBufferWriter<byte>(Math.Max(16, ids.Length * 4));
        foreach (var id in ids)
            if (!skipSpecial || !IsSpecial(id)) bytes.Write(BytesOf(id));
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    /// <summary>A decoder for ids that arrive one by one; the pieces it returns concatenate to what <see cref="Decode"/> gives.</summary>
    public IncrementalDecoder CreateDecoder(bool skipSpecial = false) => new(this, skipSpecial);

    /// <inheritdoc/>
    public IReadOnlyList<string> TextsOf(IReadOnlyList<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var decoder = CreateDecoder();
        var texts = new string[ids.Count];
        for (var i = 0; i < texts.Length; i++)
            texts[i] = decoder.Append(ids[i]);
        if (texts.Length > 0)
            texts[^1] += decoder.Flush();
        return texts;
    }

    /// <summary>The id of a token: an added token by its content, any other by its spelling in the byte alphabet; null when there is none.</summary>
    public int? IdOf(string token)
    {
        ArgumentNullException.ThrowIfNull(token);
        return _addedIds.TryGetValue(token, out var id) || _file.Vocabulary.TryGetValue(token, out id) ? id : null;
    }

    /// <summary>The spelling of a token in the byte alphabet (added tokens: their content); null for an id that the vocabulary lacks.</summary>
    public string? TokenOf(int id) => (uint)id < (uint)VocabularySize ? _spellings[id] : null;

    /// <summary>The bytes that a token stands for; none for an id that the vocabulary lacks.</summary>
    public ReadOnlySpan<byte> BytesOf(int id) => (uint)id < (uint)VocabularySize ? _bytes[id] : default;

    /// <summary>Whether a token is a special one (left out of readable text).</summary>
    public bool IsSpecial(int id) => (uint)id < (uint)VocabularySize && _special[id];

    private void EncodeSection(string section, AddedTokenMatcher normalizedTokens, List<TextPiece> pieces, List<int> ids)
    {
        var text = _file.ComposesText ? CanonicalComposition.Normalize(section) : section;
        var from = 0;
        while (from < text.Length)
        {
            var found = normalizedTokens.TryFind(text, from, out var token, out var start, out var end);
            var stop = found ? start : text.Length;
            if (stop > from)
            {
                pieces.Clear();
                _file.PreTokenizer.Split(new TextPiece(text, from, stop - from), pieces);
                foreach (var piece in pieces) _encoder.Encode(piece.Span, ids);
            }
            if (!found) break;
            ids.Add(token.Id);
            from = end;
        }
    }

    private void SetToken(int id, string spelling)
    {
        _spellings[id] = spelling;
        _bytes[id] = ByteAlphabet.ToBytes(spelling);
    }
}
