namespace Hone.Reinforcement;

/// <summary>placeholder</summary>
public enum PolicyLossType { /// <summary>a</summary>
 Grpo, /// <summary>a</summary>
 Bnpo, /// <summary>a</summary>
 DrGrpo, /// <summary>a</summary>
 Dapo, /// <summary>a</summary>
 Gspo, /// <summary>a</summary>
 Cispo }

/// <summary>placeholder</summary>
public sealed record PolicyLossOptions { /// <summary>a</summary>
 public PolicyLossType Type { get; init; } = PolicyLossType.Dapo; /// <summary>a</summary>
 public double Beta { get; init; } /// <summary>a</summary>
 public double Temperature { get; init; } = 1; }
