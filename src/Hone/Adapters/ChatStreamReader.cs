using System.Text;

namespace Hone;

/// <summary>
/// Reads the chat format as it arrives. Holds back only what may still turn out otherwise: a line that may become a marker, blanks that may be the
/// end of a value, an escape that is not whole. Agrees with <see cref="ChatSections"/> on answers with plain markers.
/// </summary>
internal sealed class ChatStreamReader : FieldStreamReader
{
    private readonly (string Header, int Output)[] headers;
    private readonly FieldTextReader?[] fields;
    private readonly ThinkFilter preamble = new();
    private string pending = string.Empty;
    private bool atLineStart = true;
    private FieldTextReader? current;

    public ChatStreamReader(Signature signature)
    {
        headers =
        [
            .. signature.Outputs.Select((field, index) => (ChatMarkers.Header(field.Name), index)),
            .. signature.Inputs.Select(field => (ChatMarkers.Header(field.Name), -1)),
            (ChatMarkers.Header(ChatMarkers.Completed), -1),
        ];
        Names = [.. signature.Outputs.Select(field => field.Name)];
        fields = new FieldTextReader?[Names.Length];
    }

    private string[] Names { get; }

    public override void Append(string text, ICollection<FieldChunk> chunks)
    {
        Extend(preamble.Take(text));
        Advance(isWhole: false, chunks);
        current?.Flush(chunks, isLast: false);
    }

    public override void Complete(ICollection<FieldChunk> chunks)
    {
        Extend(preamble.Finish());
        Advance(isWhole: true, chunks);
        End(chunks);
    }

    private void Extend(string text) => pending = pending.Length == 0 ? text : pending + text;

    private void Advance(bool isWhole, ICollection<FieldChunk> chunks)
    {
        var position = 0;
        while (position < pending.Length)
        {
            if (atLineStart)
            {
                // Blanks before a marker are part of the text before it or of no text: there they are dropped.
                var blanks = BlanksAt(position);
                current?.Append(pending.AsSpan(position, blanks));
                position += blanks;
                var match = MatchHeader(position, out var output, out var afterHeader);
                if (match == Match.Undecided && !isWhole)
                    break;
                atLineStart = false;
                if (match == Match.Yes)
                {
                    Open(output, chunks);
                    position = afterHeader;
                    continue;
                }
            }

            var lineEnd = pending.AsSpan(position).IndexOfAny('\n', '\r');
            atLineStart = lineEnd >= 0;
            var next = lineEnd < 0 ? pending.Length : position + lineEnd + 1;
            current?.Append(pending.AsSpan(position, next - position));
            position = next;
        }

        pending = pending[position..];
    }

    private int BlanksAt(int position)
    {
        var end = position;
        while (end < pending.Length && pending[end] is not ('\n' or '\r') && char.IsWhiteSpace(pending[end]))
            end++;
        return end - position;
    }

    private enum Match
    {
        No,
        Yes,
        Undecided,
    }

    private Match MatchHeader(int lineStart, out int output, out int afterHeader)
    {
        (output, afterHeader) = (-1, 0);
        var line = pending.AsSpan(lineStart);
        if (line.IsEmpty)
            return Match.Undecided;
        var result = Match.No;
        foreach (var (header, index) in headers)
        {
            if (line.StartsWith(header))
            {
                (output, afterHeader) = (index, lineStart + header.Length);
                return Match.Yes;
            }

            if (line.Length < header.Length && header.AsSpan().StartsWith(line))
                result = Match.Undecided;
        }

        return result;
    }

    // The first section of a name wins; a later one is dropped.
    private void Open(int output, ICollection<FieldChunk> chunks)
    {
        End(chunks);
        if (output >= 0 && fields[output] is null)
            current = fields[output] = new(Names[output], text => new ChatUnescaper(text));
    }

    private void End(ICollection<FieldChunk> chunks)
    {
        current?.Flush(chunks, isLast: true);
        current = null;
    }
}
