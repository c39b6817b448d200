namespace FeedbackLoop.Local.VertexAi.Learning;

/// <summary>What the tagger has decided so far in a document, as features of its next decision.</summary>
internal sealed class TagHistory
{
    private int _beforeThat;

    /// <summary>The label of the token before; 0 at the start.</summary>
    public int Previous { get; private set; }

    public int[] Features(SeenToken token, Func<ulong, int> number) =>
    [
        number(Feature.Of(90, Previous)),
        number(Feature.Of(91, (Previous * 1000) + _beforeThat)),
        number(Feature.Combine(Feature.Of(92, Previous), token.Word)),
        number(Feature.Combine(Feature.Of(93, Previous), token.Shape)),
        number(Feature.Combine(Feature.Of(94, Previous), token.Domain)),
        number(Feature.Combine(Feature.Of(95, Previous), Feature.Combine(token.Domain, token.Shape))),
        number(Feature.Combine(Feature.Of(96, Previous), Feature.Combine(token.Domain, token.Word))),
    ];

    public void Add(int label) => (_beforeThat, Previous) = (Previous, label);
}
