namespace FeedbackLoop.SqlMutation;

/// <summary>A string literal of the sources that holds SQL, or a part of a statement.</summary>
/// <param name="File">Below the repository's root.</param>
/// <param name="Line">Of its first quote.</param>
/// <param name="Text">
/// As the program sees it. In the place of each interpolation stands <see cref="Hole"/>, followed by the
/// interpolation's number
/// from 0 on as a character.
/// </param>
internal sealed record SqlLiteral(string File, int Line, string Text)
{
    public const char Hole = '\u0001';

    public string Place => $"{File}:{Line}";
}
