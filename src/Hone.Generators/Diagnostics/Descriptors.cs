using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;

namespace Hone.Generators;

/// <summary>Every diagnostic of Hone. Ids are stable; docs/diagnostics.md explains each.</summary>
internal static class Descriptors
{
    public static readonly DiagnosticDescriptor NotPartial = new(
        "HONE001", "The class of a predictor method is not partial",
        "'{0}' has the predictor method '{1}' but {2}", Category, DiagnosticSeverity.Error, true, helpLinkUri: Help + "hone001");

    public static readonly DiagnosticDescriptor NotAPredictor = new(
        "HONE002", "The method cannot be a predictor",
        "'{0}' cannot be a predictor: {1}", Category, DiagnosticSeverity.Error, true, helpLinkUri: Help + "hone002");

    public static readonly DiagnosticDescriptor NotAField = new(
        "HONE003", "The type cannot be a field",
        "{0} of '{1}' has the type '{2}', which cannot be a field: {3}", Category, DiagnosticSeverity.Error, true, helpLinkUri: Help + "hone003");

    public static readonly DiagnosticDescriptor DuplicatePath = new(
        "HONE004", "Two predictors have the same path",
        "The path '{0}' of '{1}' is already that of '{2}'; give each predictor its own name",
        Category, DiagnosticSeverity.Error, true, helpLinkUri: Help + "hone004");

    public static readonly DiagnosticDescriptor NoCancellation = new(
        "HONE005", "A predictor method takes no CancellationToken",
        "'{0}' calls a model but cannot be cancelled; add a CancellationToken parameter as the last one",
        Category, DiagnosticSeverity.Warning, true, helpLinkUri: Help + "hone005");

    public static readonly DiagnosticDescriptor MutableState = new(
        "HONE006", "A module keeps mutable state",
        "'{0}' of the module '{1}' can change between calls; {2}",
        Category, DiagnosticSeverity.Warning, true, helpLinkUri: Help + "hone006");

    public static readonly DiagnosticDescriptor NameTaken = new(
        "HONE007", "A field name is taken",
        "The {0} '{1}' of '{2}' {3}", Category, DiagnosticSeverity.Error, true, helpLinkUri: Help + "hone007");

    public static readonly DiagnosticDescriptor AgentMember = new(
        "HONE008", "The tools or the options of an agent method cannot be found",
        "'{0}' cannot be an agent: {1}", Category, DiagnosticSeverity.Error, true, helpLinkUri: Help + "hone008");

    private const string Category = "Hone";

    private const string Help = "docs/diagnostics.md#";

    private static readonly Dictionary<string, DiagnosticDescriptor> ById =
        new[] { NotPartial, NotAPredictor, NotAField, DuplicatePath, NoCancellation, MutableState, NameTaken, AgentMember }.ToDictionary(rule => rule.Id);

    public static DiagnosticDescriptor Of(string id) => ById[id];
}
