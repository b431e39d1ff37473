using System.Text.Json;
using System.Text.Json.Serialization;
using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>The JSON of run directories: camel case, nulls left out, NaN and infinities by name. Generated, so that it needs no reflection.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters =
    [
        typeof(CamelCaseEnum<AdvantageScaling>), typeof(CamelCaseEnum<FillStrategy>), typeof(CamelCaseEnum<GroupingMode>),
        typeof(CamelCaseEnum<ImportanceCorrection>), typeof(CamelCaseEnum<PolicyLossType>), typeof(CamelCaseEnum<RolloutOutcome>),
        typeof(CamelCaseEnum<ScheduleKind>), typeof(CamelCaseEnum<PreflightSeverity>),
    ])]
[JsonSerializable(typeof(RunIdentity))]
[JsonSerializable(typeof(GrpoSettings))]
[JsonSerializable(typeof(GrpoState))]
[JsonSerializable(typeof(GrpoSpending))]
[JsonSerializable(typeof(GrpoJournalLine))]
[JsonSerializable(typeof(GrpoRolloutLine))]
[JsonSerializable(typeof(PreflightReport))]
internal sealed partial class RunJson : JsonSerializerContext
{
    /// <summary>The same, on many lines: for files that people read.</summary>
    public static RunJson Indented => field ??= new(new JsonSerializerOptions(Default.Options) { WriteIndented = true });
}

/// <summary>Enum members as camel-case text.</summary>
internal sealed class CamelCaseEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase)
    where T : struct, Enum;
