using FeedbackLoop.Testing;

namespace FeedbackLoop.Access.Tests;

/// <summary>A person as the product's tables have them.</summary>
public sealed class AccessQueriesTests(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _database = null!; // these are set before each test
    private Guid _person;
    private Guid _organization;
    private Guid _project;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Cancellation);
        _organization = await _database.AddOrganizationAsync(Cancellation);
        _project = await _database.AddProjectAsync(_organization, Cancellation);
        _person = await _database.ScalarAsync<Guid>(
            "insert into core.user_profiles (zitadel_user_id) values ('ada') returning id", Cancellation);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task A_person_comes_with_all_places_and_each_project_with_its_organization()
    {
        var other = await _database.AddOrganizationAsync(Cancellation);
        var otherProject = await _database.AddProjectAsync(other, Cancellation);
        await JoinProjectAsync(_project, "project_admin");
        await JoinProjectAsync(otherProject, "project_viewer");
        await JoinAsync(_organization, "org_member");

        var person = await FindAsync("ada");

        Assert.NotNull(person);
        Assert.Equal((_person, "ada"), (person.Id, person.Subject));
        Assert.Equal(new Membership(_organization, null, "org_member"), person.Memberships[0]);
        Assert.Equal(
            new HashSet<Membership>
            {
                new(_organization, _project, "project_admin"), new(other, otherProject, "project_viewer"),
            },
            person.Memberships.Skip(1).ToHashSet());
    }

    [Fact]
    public async Task A_person_without_a_place_is_a_person_all_the_same()
    {
        var person = await FindAsync("ada");

        Assert.NotNull(person);
        Assert.Empty(person.Memberships);
    }

    [Theory]
    [InlineData("bob")]
    [InlineData("ADA")]
    [InlineData("ada ")]
    [InlineData("")]
    [InlineData("' or true --")]
    public async Task An_unknown_subject_is_nobody(string subject) => Assert.Null(await FindAsync(subject));

    [Fact]
    public async Task A_deleted_person_is_nobody()
    {
        await JoinAsync(_organization, "org_admin");
        await _database.ExecuteAsync("update core.user_profiles set deleted_at = now()", Cancellation);

        Assert.Null(await FindAsync("ada"));
    }

    [Fact]
    public async Task A_place_in_a_deleted_project_is_none()
    {
        await JoinProjectAsync(_project, "project_admin");
        await _database.ExecuteAsync("update kb.projects set deleted_at = now()", Cancellation);

        Assert.Empty((await FindAsync("ada"))!.Memberships);
    }

    [Fact]
    public async Task A_place_in_a_deleted_organization_or_in_a_project_of_it_is_none()
    {
        await JoinAsync(_organization, "org_admin");
        await JoinProjectAsync(_project, "project_admin");
        await _database.ExecuteAsync("update kb.orgs set deleted_at = now()", Cancellation);

        Assert.Empty((await FindAsync("ada"))!.Memberships);
    }

    [Fact]
    public async Task Places_of_others_do_not_show()
    {
        await _database.ExecuteAsync(
            $"""
            insert into core.user_profiles (zitadel_user_id) values ('bob');
            insert into kb.organization_memberships (organization_id, user_id, role)
            select '{_organization}', id, 'org_admin' from core.user_profiles where zitadel_user_id = 'bob'
            """,
            Cancellation);

        Assert.Empty((await FindAsync("ada"))!.Memberships);
    }

    [Theory]
    [InlineData("'Ada L.'", "'Ada'", "'Lovelace'", "Ada L.")]
    [InlineData("null", "'Ada'", "'Lovelace'", "Ada Lovelace")]
    [InlineData("''", "null", "'Lovelace'", "Lovelace")]
    [InlineData("null", "null", "null", "ada")]
    public async Task A_person_is_called_by_the_best_name_there_is(
        string display, string first, string last, string expected)
    {
        await _database.ExecuteAsync(
            $"update core.user_profiles set display_name = {display}, first_name = {first}, last_name = {last}", Cancellation);

        Assert.Equal(expected, (await FindAsync("ada"))!.DisplayName);
    }

    private async Task<Person?> FindAsync(string subject)
    {
        await using var db = await _database.Database.OpenConnectionAsync(Cancellation);
        return await db.FindPersonAsync(subject, Cancellation);
    }

    private Task JoinAsync(Guid organization, string role) => _database.ExecuteAsync(
        $"insert into kb.organization_memberships (organization_id, user_id, role) values ('{organization}', '{_person}', '{role}')",
        Cancellation);

    private Task JoinProjectAsync(Guid project, string role) => _database.ExecuteAsync(
        $"insert into kb.project_memberships (project_id, user_id, role) values ('{project}', '{_person}', '{role}')",
        Cancellation);
}
