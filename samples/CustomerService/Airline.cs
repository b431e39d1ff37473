namespace CustomerService;

/// <summary>What became of a request.</summary>
public enum Resolution { Answered, Changed, Refunded, Ticketed }

/// <summary>A booking.</summary>
public sealed record Booking(string Number, string Passenger, string Flight, decimal Price);

/// <summary>A flight with the seats that are left.</summary>
public sealed record Flight(string Name, string To, int Seats);

/// <summary>The airline's records; each request meets fresh ones.</summary>
internal sealed class Airline
{
    public static readonly string[] Requests =
    [
        "Which flight am I on? My booking is AB12.",
        "Please move my booking CD34 to flight HN205.",
        "My plans fell through. I want a refund of EF56.",
        "I want a refund of booking GH78!",
        "Refund booking ZZ99.",
    ];

    private static readonly Flight[] Flights = [new("HN201", "Porto", 4), new("HN205", "Porto", 0), new("HN209", "Porto", 2), new("HN300", "Oslo", 9)];

    private readonly Dictionary<string, Booking> bookings = new Booking[]
    {
        new("AB12", "Ada", "HN201", 150), new("CD34", "Bela", "HN201", 90), new("EF56", "Cleo", "HN300", 120), new("GH78", "Dan", "HN300", 640),
    }.ToDictionary(booking => booking.Number);

    /// <summary>What was really done.</summary>
    public Resolution Done { get; private set; }

    public Booking Find(string number) => bookings.GetValueOrDefault(number) ?? throw new ArgumentException($"There is no booking '{number}'.");

    public decimal PriceOf(string number) => bookings.GetValueOrDefault(number)?.Price ?? 0;

    public Booking Change(string number, string flight)
    {
        var booking = Find(number);
        var city = Flights.First(own => own.Name == booking.Flight).To;
        string[] free = [.. Flights.Where(other => other.To == city && other.Seats > 0 && other.Name != booking.Flight).Select(other => other.Name)];
        if (!free.Contains(flight))
            throw new InvalidOperationException($"{flight} cannot be had. With seats to {city}: {string.Join(", ", free)}.");
        return bookings[number] = Note(Resolution.Changed, booking with { Flight = flight });
    }

    public string Refund(string number) => bookings.Remove(Find(number).Number) ? Note(Resolution.Refunded, "The money is on its way.") : "Nothing to pay back.";

    public string OpenTicket(string about) => Note(Resolution.Ticketed, $"T{100 + about.Length}");

    private T Note<T>(Resolution done, T answer)
    {
        Done = done;
        return answer;
    }
}
