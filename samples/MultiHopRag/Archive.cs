using Hone;
using Hone.Retrieval;

namespace MultiHopRag;

/// <summary>A made-up archive in which one page leads to the next.</summary>
internal static class Archive
{
    public static readonly SearchDocument[] Pages =
    [
        new("Harbour at Dawn", "Harbour at Dawn is a painting by Greta Holm. It hangs in the town hall."),
        new("Greta Holm", "Greta Holm was a painter. She was born in Port Amsel."),
        new("Port Amsel", "Port Amsel is a harbour town. Port Amsel was founded in 1604."),
        new("Night Market", "Night Market is a painting by Ole Brandt."),
        new("Ole Brandt", "Ole Brandt was a painter. He was born in Sundby."),
        new("Sundby", "Sundby is a village. Sundby was founded in 1350."),
        new("Town hall", "The town hall was built in 1890. It is open at dawn."),
        new("Painting", "A painting is made with colours."),
    ];
}
