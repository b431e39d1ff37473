#region readme-types
using Hone;

public sealed record Ask(string Question, IReadOnlyList<string> Context);
public sealed record Reply(string Answer, double Confidence);
#endregion
