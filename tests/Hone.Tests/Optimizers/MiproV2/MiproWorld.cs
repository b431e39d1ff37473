namespace Hone.Tests.Optimizers.MiproV2;

/// <summary>Answers of the model that writes for MIPROv2.</summary>
internal static class MiproWorld
{
    /// <summary>A world whose writer proposes a text for the number of a proposal, and whose task model is given.</summary>
    public static Lab Of(Func<LabCall, int, string> propose, Func<LabCall, FieldMap> task) => new(call => call.Role == "prompt" ? Write(call, propose) : task(call));

    /// <summary>As <see cref="Of"/> with INSTR-1, INSTR-2, … as proposals.</summary>
    public static Lab Numbered(Func<LabCall, FieldMap> task) => Of((_, number) => $"INSTR-{number}", task);

    public static bool IsProposal(LabCall call) => call.Inputs.ContainsKey("material");

    private static FieldMap Write(LabCall call, Func<LabCall, int, string> propose)
    {
        if (IsProposal(call))
            return FieldMap.Of(("proposed_instructions", propose(call, (int)(call.Sample % Hone.Optimizers.SampleIds.Series))));
        return call.Inputs.ContainsKey("earlier_observations") ? FieldMap.Of(("observations", "short questions")) : FieldMap.Of(("description", "a description"));
    }
}
