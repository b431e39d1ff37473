using System.Globalization;

namespace Hone;

/// <summary>Writes a call for a person to read. Takes entries of any content, empty and half-made ones too.</summary>
internal static class HistoryPrinter
{
    public static void Print(TextWriter writer, CallHistoryEntry entry)
    {
        writer.WriteLine();
        var path = string.IsNullOrEmpty(entry.Path) ? "(no program)" : $"{entry.Path} #{entry.Ordinal}";
        var role = string.IsNullOrEmpty(entry.Role) ? "" : $" ({entry.Role})";
        writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"===== {entry.Timestamp:yyyy-MM-dd HH:mm:ss zzz}  {path}{role}  {entry.Model}"));
        if (!entry.Messages.IsDefault)
        {
            foreach (var message in entry.Messages)
                Print(writer, Title(message.Role) + " message", message);
        }

        if (entry.Error is not null)
        {
            writer.WriteLine();
            writer.WriteLine("Failed:");
            writer.WriteLine();
            writer.WriteLine(entry.Error);
        }
        else
        {
            var answers = entry.Answers.IsDefault ? [] : entry.Answers;
            Print(writer, "Response", answers.IsEmpty ? new("assistant", string.Empty) : answers[0]);
            if (answers.Length > 1)
            {
                writer.WriteLine();
                writer.WriteLine($"(and {answers.Length - 1} other {(answers.Length == 2 ? "completion" : "completions")})");
            }
        }

        writer.WriteLine();
        writer.WriteLine(Summary(entry));
    }

    private static void Print(TextWriter writer, string title, HistoryMessage message)
    {
        var calls = message.ToolCalls.IsDefault ? [] : message.ToolCalls;
        writer.WriteLine();
        writer.WriteLine(title + ":");
        writer.WriteLine();
        if (!string.IsNullOrWhiteSpace(message.Text))
            writer.WriteLine(message.Text.Trim());
        else if (calls.IsEmpty)
            writer.WriteLine("(empty)");
        if (calls.IsEmpty)
            return;
        writer.WriteLine("Tool calls:");
        foreach (var call in calls)
            writer.WriteLine(call);
    }

    private static string Summary(CallHistoryEntry entry)
    {
        var parts = new List<string>();
        if (entry.FinishReason is not null)
            parts.Add($"finished: {entry.FinishReason}");
        parts.Add(entry.IsCacheHit ? "from the cache" : $"{entry.Usage.InputTokens} + {entry.Usage.OutputTokens} tokens");
        if (entry.Cost is { } cost)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"${cost:0.######}"));
        parts.Add(string.Create(CultureInfo.InvariantCulture, $"{entry.Duration.TotalSeconds:0.###} s"));
        return string.Join(" · ", parts);
    }

    private static string Title(string? role) => string.IsNullOrEmpty(role) ? "Unknown" : char.ToUpperInvariant(role[0]) + role[1..];
}
