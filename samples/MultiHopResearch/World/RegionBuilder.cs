namespace MultiHopResearch;

internal sealed record City(string Name, string River, string Country)
{
    public Article Article { get; } = new(Name, [$"{Name} is a city in {Country} on the river {River}."]);
}

internal sealed record Company(string Name, string Industry, City City, string Founder)
{
    public string BasedIn { get; } = $"{Name} is a {Industry} company based in {City.Name}.";

    public string FoundedBy { get; } = $"{Name} was founded by {Founder}.";

    public Article Article => new(Name, [BasedIn, FoundedBy]);
}

internal sealed record School(string Name, string Subject, City City, string Namesake)
{
    public string LocatedIn { get; } = $"{Name} is a school of {Subject} located in {City.Name}.";

    public string NamedAfter { get; } = $"{Name} was named after {Namesake}.";

    public Article Article => new(Name, [LocatedIn, NamedAfter]);
}

/// <summary>A person works somewhere, and either was born or studied somewhere.</summary>
internal sealed record Person(string Name, string Job, string Employer, City? Birthplace, string? Study)
{
    public string WorksFor { get; } = $"{Name} is a {Job} who works for {Employer}.";

    public string BornIn { get; } = $"{Name} was born in {Birthplace?.Name}.";

    public string StudiedAt { get; } = $"{Name} studied at {Study}.";

    public Article Article => new(Name, [WorksFor, Birthplace is null ? StudiedAt : BornIn]);
}

internal sealed record Book(string Name, string Genre, Person Author, Company Publisher)
{
    public string WrittenBy { get; } = $"{Name} is a {Genre} written by {Author.Name}.";

    public string PublishedBy { get; } = $"{Name} was published by {Publisher.Name}.";

    public Article Article => new(Name, [WrittenBy, PublishedBy]);
}

/// <summary>The entities of one region and how they hang together.</summary>
internal sealed class RegionBuilder
{
    private readonly Random random;
    private readonly List<Article> landscape = [];

    public RegionBuilder(Region region, int articleCount, NameSource names, Random random)
    {
        Region = region;
        this.random = random;
        var rivers = Names(Math.Max(3, articleCount * 15 / 1000), names.Single);
        var countries = Names(Math.Max(2, articleCount * 10 / 1000), names.Single);
        var cityNames = Names(articleCount * 150 / 1000, () => names.Pair(Vocabulary.CitySuffixes));
        var companyNames = Names(articleCount * 200 / 1000, () => names.Pair(Vocabulary.CompanySuffixes));
        var schoolNames = Names(articleCount * 110 / 1000, () => names.Pair(Vocabulary.SchoolSuffixes));
        var peopleNames = Names(articleCount * 380 / 1000, () => names.Pair(Vocabulary.SecondWords));
        var bookNames = Names(articleCount * 135 / 1000, () => names.Pair(Vocabulary.SecondWords));

        Cities = [.. cityNames.Select(name => new City(name, Pick(rivers), Pick(countries)))];
        Companies = [.. companyNames.Select(name => new Company(name, Pick(Vocabulary.Industries), Pick(Cities), Pick(peopleNames)))];
        Schools = [.. schoolNames.Select(name => new School(name, Pick(Vocabulary.Subjects), Pick(Cities), Pick(peopleNames)))];
        People = [.. peopleNames.Select(CreatePerson)];
        Books = [.. bookNames.Select(name => new Book(name, Pick(Vocabulary.Genres), Pick(People), Pick(Companies)))];
        landscape.AddRange(rivers.Select(name => new Article(name, [$"{name} is a river in {Pick(countries)}."])));
        landscape.AddRange(countries.Select(name => new Article(name, [$"{name} is a country with the capital {Pick(Cities).Name}."])));
    }

    public Region Region { get; }

    public IReadOnlyList<City> Cities { get; }

    public IReadOnlyList<Company> Companies { get; }

    public IReadOnlyList<School> Schools { get; }

    public IReadOnlyList<Person> People { get; }

    public IReadOnlyList<Book> Books { get; }

    public IEnumerable<Article> Articles() =>
    [
        .. Cities.Select(city => city.Article), .. Companies.Select(company => company.Article), .. Schools.Select(school => school.Article),
        .. People.Select(person => person.Article), .. Books.Select(book => book.Article), .. landscape,
    ];

    private static List<string> Names(int count, Func<string> next) => [.. Enumerable.Range(0, count).Select(_ => next())];

    private Person CreatePerson(string name)
    {
        var wasBorn = random.Next(2) == 0;
        return new(name, Pick(Vocabulary.Jobs), Pick(Companies).Name, wasBorn ? Pick(Cities) : null, wasBorn ? null : Pick(Schools).Name);
    }

    private T Pick<T>(IReadOnlyList<T> items) => items[random.Next(items.Count)];
}
