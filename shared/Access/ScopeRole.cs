namespace FeedbackLoop.Access;

/// <summary>What a person may do in a scope; a higher one includes the lower.</summary>
public enum ScopeRole
{
    /// <summary>The scope does not exist for this person: answer as for one that there is not.</summary>
    None,

    /// <summary>Reads.</summary>
    Member,

    /// <summary>Reads and changes.</summary>
    Admin,
}
