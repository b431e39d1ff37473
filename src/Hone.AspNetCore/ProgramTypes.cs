using System.Diagnostics.CodeAnalysis;

namespace Hone.AspNetCore;

/// <summary>What is read of the types that go into a program and come out.</summary>
internal static class ProgramTypes
{
    public const DynamicallyAccessedMemberTypes Members = DynamicallyAccessedMemberTypes.PublicConstructors
        | DynamicallyAccessedMemberTypes.PublicProperties
        | DynamicallyAccessedMemberTypes.PublicFields
        | DynamicallyAccessedMemberTypes.Interfaces;
}
