using System.Security.Cryptography;
using System.Text;

namespace Hone.Optimizers;

/// <summary>Short keys of programs with their states: equal states of one program have one key.</summary>
internal static class CandidateKeys
{
    /// <param name="program">The program.</param>
    /// <param name="slot">What tells programs of one run apart that look alike, e.g. <c>student</c>, <c>teacher0</c>.</param>
    public static string Of<TIn, TOut>(Program<TIn, TOut> program, string slot)
    {
        var text = string.Join('\n', slot, program.Adapter.Name, program.Model?.Name, ProgramFileWriter.Write(program, weights: null));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
    }
}
