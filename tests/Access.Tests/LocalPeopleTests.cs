using FeedbackLoop.Local;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Access.Tests;

/// <summary>The people whom <c>./run</c> makes.</summary>
public sealed class LocalPeopleTests(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _database = null!; // these are set before each test
    private Scope _organization;
    private Scope _project;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Cancellation);
        var organization = await _database.AddOrganizationAsync(Cancellation);
        _organization = new(organization, null);
        _project = new(organization, await _database.AddProjectAsync(organization, Cancellation));
        await LocalPeople.AddMissingAsync(_database.ConnectionString, Cancellation);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Theory]
    [InlineData(LocalPeople.OrganizationAdmin, ScopeRole.Admin, ScopeRole.Admin)]
    [InlineData(LocalPeople.ProjectAdmin, ScopeRole.None, ScopeRole.Admin)]
    [InlineData(LocalPeople.Member, ScopeRole.None, ScopeRole.Member)]
    [InlineData(LocalPeople.Outsider, ScopeRole.None, ScopeRole.None)]
    public async Task There_is_one_of_each_kind(string subject, ScopeRole inOrganization, ScopeRole inProject)
    {
        await using var db = await _database.Database.OpenConnectionAsync(Cancellation);
        var person = await db.FindPersonAsync(subject, Cancellation);

        Assert.NotNull(person);
        Assert.Equal((inOrganization, inProject), (person.RoleIn(_organization), person.RoleIn(_project)));
    }

    [Fact]
    public async Task The_outsider_has_an_organization_with_a_project_that_nobody_else_sees()
    {
        await using var db = await _database.Database.OpenConnectionAsync(Cancellation);
        var own = Assert.Single((await db.FindPersonAsync(LocalPeople.Outsider, Cancellation))!.Memberships).OrganizationId;
        var project = await _database.ScalarAsync<Guid>(
            $"select id from kb.projects where organization_id = '{own}'", Cancellation);

        foreach (var subject in (string[])[LocalPeople.OrganizationAdmin, LocalPeople.ProjectAdmin, LocalPeople.Member])
        {
            var person = await db.FindPersonAsync(subject, Cancellation);
            Assert.Equal(ScopeRole.None, person!.RoleIn(new Scope(own, project)));
        }
    }

    [Fact]
    public async Task A_second_start_adds_nothing_and_gives_nothing_back()
    {
        await _database.ExecuteAsync("delete from kb.project_memberships where role = 'project_admin'", Cancellation);
        var before = await CountAsync();

        await LocalPeople.AddMissingAsync(_database.ConnectionString, Cancellation);

        Assert.Equal(before, await CountAsync());
    }

    [Fact]
    public async Task The_login_shows_them_with_their_places()
    {
        var people = await LocalPeople.ListAsync(_database.ConnectionString, Cancellation);

        Assert.Equal(4, people.Count);
        Assert.Equal(
            "project_viewer of project project", people.Single(person => person.Subject == LocalPeople.Member).Roles);
    }

    private Task<string> CountAsync() => _database.ScalarAsync<string>(
        """
        select concat_ws(' ', (select count(*) from core.user_profiles), (select count(*) from kb.orgs),
               (select count(*) from kb.projects), (select count(*) from kb.organization_memberships),
               (select count(*) from kb.project_memberships))
        """,
        Cancellation);
}
