using System.Collections.Immutable;
using CsCheck;

namespace Hone.Tests.Values;

/// <summary>Valid JSON, damaged as models and networks damage it.</summary>
internal static class Mutation
{
    private static readonly string[] Pieces =
    [
        "\"", "'", "`", "\\", "{", "}", "[", "]", "(", ")", ",", ":", ";", "#", "//", "/*", "*/", "\n", "```", "```json\n", "\"\"\"", "'''", "...", "“", "”", " ", "\t", "\0", "\uFEFF", "\uD83D",
        "null", "None", "True", "NaN", "-", "+", ".", "e", "1", "00", "1_000", "\\u12", "\\x4", "[[ ## ", " ## ]]", "\"a\":", "<think>", "Sure: ",
    ];

    /// <summary>A JSON text with up to eight places deleted, doubled, replaced, cut off, or with something put in.</summary>
    public static Gen<string> OfJson { get; } = Gen.Select(AnyType.ValueOf(FieldType.Any), AnyType.ValueOf(FieldType.Any), Step.Array[0, 8], Gen.Int[0, 3])
        .Select((first, second, steps, shape) => steps.Aggregate(Start(first, second, shape), Apply));

    private static Gen<(int Kind, double Place, int Length, int Piece)> Step => Gen.Select(Gen.Int[0, 6], Gen.Double[0, 1], Gen.Int[1, 6], Gen.Int[0, Pieces.Length - 1]);

    private static string Start(object? first, object? second, int shape) => shape switch
    {
        0 => JsonText.Write(first),
        1 => JsonText.Write(FieldMap.Of(("a", first), ("b c", second))),
        2 => JsonText.Write(ImmutableArray.Create(first, FieldMap.Of(("x", second)))),
        _ => $"Here you are:\n```json\n{JsonText.Write(FieldMap.Of(("answer", first)))}\n```\nand {JsonText.Write(second)}.",
    };

    private static string Apply(string text, (int Kind, double Place, int Length, int Piece) step)
    {
        var index = Math.Min(text.Length, (int)(step.Place * (text.Length + 1)));
        var length = Math.Min(step.Length, text.Length - index);
        return step.Kind switch
        {
            0 => text.Remove(index, length),
            1 => text.Insert(index, text.Substring(index, length)),
            2 or 3 => text.Insert(index, Pieces[step.Piece]),
            4 => text[..index] + Pieces[step.Piece] + text[(index + length)..],
            5 => text[..index],
            _ => text.Insert(index, string.Concat(Enumerable.Repeat(Pieces[step.Piece], step.Length))),
        };
    }
}
