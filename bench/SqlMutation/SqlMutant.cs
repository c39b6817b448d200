namespace FeedbackLoop.SqlMutation;

/// <summary>A literal with one condition less.</summary>
/// <param name="Kind">What was dropped: condition, alternative, skip locked, limit, distinct.</param>
/// <param name="Dropped">Its text, on one line.</param>
internal sealed record SqlMutant(SqlLiteral Literal, string Kind, string Dropped, string Text)
{
    /// <summary>Stays the same as long as the statement does, wherever it moves in its file.</summary>
    public string Id => $"{Literal.File}|{Kind}|{Dropped}|{Convert.ToHexStringLower(
        System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(Text)))[..8]}";
}
