using System.ComponentModel;
using Hone;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace McpTools;

/// <summary>A recipe, and for how many it is wanted.</summary>
public sealed record Portions([property: Description("The text of the recipe")] string Recipe, [property: Description("How many people eat")] int People);

/// <summary>Something to buy.</summary>
public sealed record Item(string Name, double Amount, string Unit);

/// <summary>What to buy.</summary>
public sealed record Shopping(IReadOnlyList<Item> Items);

/// <summary>What the agent is asked.</summary>
public sealed record Dinner(string With, int Guests);

/// <summary>What it plans.</summary>
public sealed record Plan(string Dish, IReadOnlyList<Item> ToBuy);

/// <summary>The server: two plain tools, and a program that works with a model.</summary>
internal static class Kitchen
{
    private static readonly Dictionary<string, string> Recipes = new()
    {
        ["Lentil soup"] = "For 4: 300 g lentils, 2 pcs carrots, 1 l stock. Cook for 40 minutes.",
        ["Lentil salad"] = "For 2: 150 g lentils, 1 pcs onion. Cook, cool and mix.",
        ["Fish pie"] = "For 4: 500 g cod, 800 g potatoes. Bake for an hour.",
    };

    public static async Task ServeAsync(LM model, CancellationToken cancellationToken)
    {
        var shopping = new Predict<Portions, Shopping>("List what to buy for the recipe, in the amounts for so many people.").WithModel(model);
        var options = new McpServerOptions
        {
            ServerInfo = new() { Name = "kitchen", Version = "1.0" },
            ToolCollection =
            [
                McpServerTool.Create(FindRecipes, new() { Name = "find_recipes" }),
                McpServerTool.Create(ReadRecipe, new() { Name = "read_recipe" }),
                shopping.AsMcpTool("shopping_list"),
            ],
        };
        await using var server = McpServer.Create(new StdioServerTransport(options), options);
        await server.RunAsync(cancellationToken);
    }

    [Description("Names the recipes that have an ingredient.")]
    private static string[] FindRecipes(string ingredient) =>
        [.. from recipe in Recipes where recipe.Value.Contains(ingredient, StringComparison.OrdinalIgnoreCase) select recipe.Key];

    [Description("Gives a recipe by its name.")]
    private static string ReadRecipe(string name) =>
        Recipes.GetValueOrDefault(name) ?? throw new McpException($"There is no recipe '{name}'. Recipes: {string.Join(", ", Recipes.Keys)}.");
}
