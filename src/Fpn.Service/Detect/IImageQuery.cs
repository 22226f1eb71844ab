using Fpn.Service.Formats;
using Fpn.Service.Problems;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Detect;

/// <summary>The query of an endpoint that takes images, checked against the model that it names, which it holds until
/// it is disposed.</summary>
/// <typeparam name="TSelf">The query itself.</typeparam>
internal interface IImageQuery<TSelf> : IDisposable
    where TSelf : class, IImageQuery<TSelf>
{
    /// <summary>What the endpoint can answer with, the preferred choice first.</summary>
    static abstract IReadOnlyList<OutputChoice> Served { get; }

    /// <summary>The lane of the model that answers.</summary>
    ModelLane Lane { get; }

    /// <summary>The format that was asked for, if one was.</summary>
    OutputFormat? Format { get; }

    /// <summary>Reads the query.</summary>
    /// <returns>The query, which the caller disposes, or the problem that names the first wrong parameter.</returns>
    static abstract Outcome<TSelf> Parse(IQueryCollection query, LaneRegistry lanes);

    /// <summary>Checks the query against the format that was chosen.</summary>
    /// <returns>Null, or the problem.</returns>
    Problem? Check(OutputChoice output) => null;
}
