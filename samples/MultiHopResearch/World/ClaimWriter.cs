namespace MultiHopResearch;

/// <summary>Writes claims over chains of two relations. The claim never names the second or the third entity.</summary>
internal static class ClaimWriter
{
    public static IReadOnlyList<ResearchTask> Write(RegionBuilder region, int count, Random random)
    {
        var kinds = Chains(region).GroupBy(task => task.Kind).Select(kind => kind.ToArray()).ToArray();
        foreach (var kind in kinds)
            random.Shuffle(kind);

        // Kinds take turns, so that rare ones are as frequent as common ones while they last.
        var tasks = Enumerable.Range(0, kinds.Max(kind => kind.Length))
            .SelectMany(turn => kinds.Where(kind => turn < kind.Length).Select(kind => kind[turn]))
            .Take(count)
            .ToArray();
        if (tasks.Length < count)
            throw new ArgumentException($"Region {region.Region} has {tasks.Length} chains, fewer than the {count} claims asked for. Use more articles.", nameof(count));
        random.Shuffle(tasks);
        return tasks;
    }

    private static IEnumerable<ResearchTask> Chains(RegionBuilder region)
    {
        var people = region.People.ToDictionary(person => person.Name);
        var companies = region.Companies.ToDictionary(company => company.Name);
        var schools = region.Schools.ToDictionary(school => school.Name);
        var all = region.People.SelectMany(person => OfPerson(person, companies, schools))
            .Concat(region.Companies.SelectMany(company => OfCompany(company, people, schools)))
            .Concat(region.Schools.SelectMany(school => OfSchool(school, people)))
            .Concat(region.Books.SelectMany(book => OfBook(book, people, companies)));
        return all.Where(task => task.First != task.Third);
    }

    private static IEnumerable<ResearchTask> OfPerson(Person person, Dictionary<string, Company> companies, Dictionary<string, School> schools)
    {
        var company = companies[person.Employer];
        yield return Task(
            $"The {person.Job} {person.Name} works for a company based in", $"a city on the river {company.City.River}",
            (person.Name, person.WorksFor), (company.Name, company.BasedIn), company.City.Name, "employer-city");
        if (person.Study is not { } study)
            yield break;
        var school = schools[study];
        yield return Task(
            $"The {person.Job} {person.Name} studied at a school located in", $"a city in {school.City.Country}",
            (person.Name, person.StudiedAt), (school.Name, school.LocatedIn), school.City.Name, "school-city");
    }

    private static IEnumerable<ResearchTask> OfCompany(Company company, Dictionary<string, Person> people, Dictionary<string, School> schools)
    {
        var founder = people[company.Founder];
        yield return founder.Birthplace is { } city
            ? Task(
                $"The company {company.Name} was founded by a {founder.Job} born in", $"a city on the river {city.River}",
                (company.Name, company.FoundedBy), (founder.Name, founder.BornIn), city.Name, "founder-birthplace")
            : Task(
                $"The company {company.Name} was founded by a {founder.Job} who studied at", $"a school of {schools[founder.Study!].Subject}",
                (company.Name, company.FoundedBy), (founder.Name, founder.StudiedAt), founder.Study!, "founder-school");
    }

    private static IEnumerable<ResearchTask> OfSchool(School school, Dictionary<string, Person> people)
    {
        var namesake = people[school.Namesake];
        if (namesake.Birthplace is { } city)
        {
            yield return Task(
                $"The school {school.Name} was named after a {namesake.Job} born in", $"a city in {city.Country}",
                (school.Name, school.NamedAfter), (namesake.Name, namesake.BornIn), city.Name, "namesake-birthplace");
        }
    }

    private static IEnumerable<ResearchTask> OfBook(Book book, Dictionary<string, Person> people, Dictionary<string, Company> companies)
    {
        yield return Task(
            $"The {book.Genre} {book.Name} was written by a {book.Author.Job} who works for", $"a {companies[book.Author.Employer].Industry} company",
            (book.Name, book.WrittenBy), (book.Author.Name, book.Author.WorksFor), book.Author.Employer, "author-employer");
        yield return Task(
            $"The {book.Genre} {book.Name} was published by a company founded by", $"a {people[book.Publisher.Founder].Job}",
            (book.Name, book.PublishedBy), (book.Publisher.Name, book.Publisher.FoundedBy), book.Publisher.Founder, "publisher-founder");
    }

    private static ResearchTask Task(string start, string tail, (string Name, string Fact) first, (string Name, string Fact) second, string third, string kind) =>
        new(new Claim($"{start} {tail}."), first.Name, second.Name, third, first.Fact, second.Fact, tail, kind);
}
