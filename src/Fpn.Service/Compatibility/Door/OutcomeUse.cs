using Fpn.Service.Problems;

namespace Fpn.Service.Compatibility.Door;

/// <summary>Goes on with what an outcome holds: the way of a request through a contract, without its
/// problems.</summary>
internal static class OutcomeUse
{
    /// <summary>Answers with the value, and disposes it afterwards.</summary>
    /// <param name="outcome">A value that is this call's to dispose, or a problem.</param>
    /// <param name="answer">Answers; not called for a problem.</param>
    /// <returns>The answer; or the problem, of either.</returns>
    public static async Task<Outcome<TAnswer>> UseAsync<T, TAnswer>(
        this Outcome<T> outcome, Func<T, Task<Outcome<TAnswer>>> answer)
        where T : class, IDisposable
        where TAnswer : class
    {
        if (!outcome.Succeeded(out var value, out var problem))
        {
            return problem;
        }

        using (value)
        {
            return await answer(value);
        }
    }

    /// <inheritdoc cref="UseAsync{T,TAnswer}(Outcome{T},Func{T,Task{Outcome{TAnswer}}})"/>
    public static async Task<Outcome<TAnswer>> UseAsync<T, TAnswer>(
        this Task<Outcome<T>> outcome, Func<T, Task<Outcome<TAnswer>>> answer)
        where T : class, IDisposable
        where TAnswer : class => await (await outcome).UseAsync(answer);

    /// <summary>The answer to the request: the value, or the problem in the contract's form.</summary>
    public static async Task<IResult> ToResultAsync(this Task<Outcome<JsonAnswer>> outcome) =>
        (await outcome).Succeeded(out var answer, out var problem) ? answer : new ProblemResult(problem);
}
