namespace FeedbackLoop.Model.Checking;

/// <summary>What an action of a model owes.</summary>
internal enum Fairness
{
    /// <summary>May happen, may never happen: people, Vertex AI, crashes, another tenant.</summary>
    None,

    /// <summary>Happens at last when it stays possible: time.</summary>
    Weak,

    /// <summary>
    /// Happens at last when it is possible again and again: a step or a part of the sweep that is tried for ever.
    /// </summary>
    Strong,
}

/// <summary>A system as a search sees it: where it starts, and what may happen next.</summary>
/// <typeparam name="TState">Compared and hashed by its bytes, whose number is a multiple of eight.</typeparam>
internal interface ITransitions<TState>
    where TState : unmanaged
{
    TState Start { get; }

    /// <summary>Adds each thing that may happen in this state, and the state after it.</summary>
    void AddNext(in TState state, List<(byte Action, TState State)> next);

    /// <returns>The promise that is broken in this state; null when none is.</returns>
    string? Broken(in TState state);

    Fairness FairnessOf(byte action);

    string NameOf(byte action);

    string Describe(in TState state);
}
