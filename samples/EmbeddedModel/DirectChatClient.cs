using Microsoft.Extensions.AI;
namespace EmbeddedModel;
internal sealed class DirectChatClient(InferenceModel model, Tokenizer tokenizer, ChatTemplate template, int workers) : IChatClient
{
    private readonly SemaphoreSlim slots = new(workers);
    private readonly System.Collections.Concurrent.ConcurrentBag<InferenceScratch> scratches = [];
    private readonly KeyValuePool pool = new(model.Config);
    public List<string> Log { get; } = [];
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        await slots.WaitAsync(cancellationToken);
        try
        {
            var text = await Task.Run(() => Generate(template.Render([.. messages], true), options!));
            return new(new ChatMessage(ChatRole.Assistant, text));
        }
        finally { slots.Release(); }
    }
    private string Generate(string prompt, ChatOptions options)
    {
        if (!scratches.TryTake(out var scratch)) scratch = model.CreateScratch(512, 512);
        var random = new Random((int)(options.Seed ?? 0 & 0x7fffffff));
        var ids = tokenizer.Encode(prompt); var outp = new List<int>();
        var end = tokenizer.IdOf("<|im_end|>");
        using var segment = new KeyValueSegment(pool);
        segment.Reserve(512);
        var rows = ids.Select((t, i) => new InferenceRow(segment, i, t, i == ids.Length - 1)).ToArray();
        while (outp.Count < options.MaxOutputTokens)
        {
            model.Forward(scratch, rows);
            var logits = scratch.Logits(rows.Length - 1);
            var next = 0;
            if (options.Temperature == 0) { for (var i = 1; i < logits.Length; i++) if (logits[i] > logits[next]) next = i; }
            else
            {
                var max = float.NegativeInfinity; foreach (var l in logits) max = Math.Max(max, l);
                double sum = 0; foreach (var l in logits) sum += Math.Exp(l - max);
                var u = random.NextDouble() * sum; for (next = 0; next < logits.Length - 1; next++) { u -= Math.Exp(logits[next] - max); if (u <= 0) break; }
            }
            if (next == end) break;
            outp.Add(next);
            rows = [new InferenceRow(segment, ids.Length + outp.Count - 1, next, true)];
        }
        scratches.Add(scratch);
        var text = tokenizer.Decode([.. outp]);
        lock (Log) Log.Add(text);
        return text;
    }
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();
    public object? GetService(Type serviceType, object? serviceKey = null) => null;
    public void Dispose() { }
}
