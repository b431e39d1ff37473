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
        var wanted = Flights.FirstOrDefault(each => each.Name == flight) ?? throw new ArgumentException($"There is no flight '{flight}'.");
        if (wanted.Seats == 0)
            throw new InvalidOperationException($"{flight} is full. With seats to {wanted.To}: {string.Join(", ", Flights.Where(each => each.To == wanted.To && each.Seats > 0 && each.Name != booking.Flight).Select(each => each.Name))}.");
        Done = Resolution.Changed;
        return bookings[number] = booking with { Flight = flight };
    }

    public string Refund(string number)
    {
        bookings.Remove(Find(number).Number);
        Done = Resolution.Refunded;
        return "The money is on its way.";
    }

    public string OpenTicket(string about)
    {
        Done = Resolution.Ticketed;
        return $"T{100 + about.Length}";
    }
}
