namespace Hone.Engine;

/// <summary>The text of a running completion, in pieces: holds back what may be the beginning of a stop sequence, and ends before one.</summary>
internal sealed class StreamedText(EngineModel model, string[] stopSequences)
{
    private readonly IncrementalDecoder _decoder = model.Tokenizer.CreateDecoder(skipSpecial: true);
    private string _held = "";
    private bool _isStopped;

    /// <summary>The text that became certain with this token.</summary>
    public string Append(int token) => Add(_decoder.Append(token), isLast: false);

    /// <summary>What was held back.</summary>
    public string Finish() => Add(_decoder.Flush(), isLast: true);

    private string Add(string text, bool isLast)
    {
        if (_isStopped) return "";
        _held += text;
        var stop = StopMatcher.FirstIn(_held, stopSequences);
        _isStopped = stop >= 0;
        var certain = _isStopped ? stop : isLast ? _held.Length : _held.Length - StopMatcher.Undecided(_held, stopSequences);
        var part = _held[..certain];
        _held = _isStopped ? "" : _held[certain..];
        return part;
    }
}
