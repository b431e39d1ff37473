namespace Hone.Sandbox.JavaScript;

/// <summary>Ends code that has submitted its outputs. Code cannot catch it.</summary>
internal sealed class SubmitSignal(FieldMap outputs) : Exception
{
    public FieldMap Outputs => outputs;
}
