using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Hone.Tests.Architecture;

/// <summary>Rule 1: a room sees only the rooms below it. Checked on resolved symbols, so a name in a comment or string does not count.</summary>
public sealed class LayeringTests
{
    // Rooms on one line are siblings: none sees another.
    private static readonly string[][] CoreRooms =
    [
        ["Primitives"], ["Types"], ["Signatures"], ["Values"], ["Clients"], ["Adapters"], ["Runtime"],
        ["Streaming", "Retrieval", "Datasets", "CodeExecution"], ["Modules"], ["Evaluation"], ["Reinforcement"], ["Optimizers"],
    ];

    private static readonly Dictionary<string, string[]> EngineRooms = new()
    {
        ["Kernels"] = [],
        ["Models"] = ["Kernels"],
        ["Weights"] = ["Models", "Kernels"],
        ["Tokens"] = ["Models"],
        ["Generation"] = ["Models", "Tokens", "Weights", "Kernels"],
        ["Training"] = ["Models", "Weights", "Kernels", "Generation", "Tokens"],
    };

    // Signatures and values know each other: a field type describes values, a value is read by its field type.
    private static readonly HashSet<(string From, string To)> Allowed = [("Signatures", "Values")];

    [Fact]
    public void Hone_EveryRoom_SeesOnlyRoomsBelow()
    {
        var level = CoreRooms.SelectMany((rooms, index) => rooms.Select(room => (room, index))).ToDictionary(entry => entry.room, entry => entry.index);
        AssertReferences("Hone", level.Keys, (from, to) => level[to] < level[from] || Allowed.Contains((from, to)));
    }

    [Fact]
    public void Engine_EveryRoom_SeesOnlyItsSuppliers() =>
        AssertReferences("Hone.Engine", [.. EngineRooms.Keys, "Embedded"], (from, to) => EngineRooms.GetValueOrDefault(from, []).Contains(to));

    [Fact]
    public void Engine_Generation_NeverSeesRewards_AndTrainingNeverSeesPrograms()
    {
        string[] forbidden = ["Adapter", "ChatAdapter", "Signature", "FieldMap", "Module"];
        foreach (var tree in Repository.Parse("Hone.Engine"))
        {
            var room = Repository.RoomOf(tree);
            var names = tree.GetRoot(TestContext.Current.CancellationToken).DescendantNodes().OfType<IdentifierNameSyntax>().Select(name => name.Identifier.Text);
            if (room == "Training")
                Assert.DoesNotContain(names, forbidden.Contains);
            if (room is not "Training" and not "Models")
                Assert.DoesNotContain(names, name => name is "Advantage" or "Reward" or "PolicyLossOptions");
        }
    }

    private static void AssertReferences(string project, IEnumerable<string> rooms, Func<string, string, bool> allowed)
    {
        var trees = Repository.Parse(project);
        var known = rooms.ToHashSet();
        Assert.All(trees, tree => Assert.True(known.Contains(Repository.RoomOf(tree)), $"{tree.FilePath} is in no room."));
        var compilation = CSharpCompilation.Create("check", trees, References(), new(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true));
        var names = NamesOfTypes(trees);
        var violations = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var tree in trees)
        {
            var model = compilation.GetSemanticModel(tree);
            foreach (var name in tree.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>())
            {
                if (!names.Contains(name.Identifier.ValueText))
                    continue;
                if (model.GetSymbolInfo(name).Symbol is not INamedTypeSymbol type)
                    continue;
                foreach (var room in type.OriginalDefinition.DeclaringSyntaxReferences.Select(reference => Repository.RoomOf(reference.SyntaxTree)))
                {
                    if (room != Repository.RoomOf(tree) && !allowed(Repository.RoomOf(tree), room))
                        violations.Add($"{tree.FilePath} uses {type.Name} of {room}/");
                }
            }
        }

        Assert.True(violations.Count == 0, string.Join('\n', violations));
    }

    // Every word that can stand for a type of the sources, "var" among them: resolving the others takes time and can find no violation.
    private static HashSet<string> NamesOfTypes(IReadOnlyList<SyntaxTree> trees)
    {
        var nodes = trees.SelectMany(tree => tree.GetRoot().DescendantNodes()).ToArray();
        var declared = nodes.OfType<BaseTypeDeclarationSyntax>().Select(type => type.Identifier.ValueText);
        var delegates = nodes.OfType<DelegateDeclarationSyntax>().Select(type => type.Identifier.ValueText);
        var aliases = nodes.OfType<UsingDirectiveSyntax>().Where(directive => directive.Alias is not null).Select(directive => directive.Alias!.Name.Identifier.ValueText);
        return [.. declared, .. delegates, .. aliases, "var"];
    }

    private static IEnumerable<MetadataReference> References() => ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
        .Split(Path.PathSeparator)
        .Select(path => MetadataReference.CreateFromFile(path));
}
