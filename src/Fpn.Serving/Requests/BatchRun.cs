using System.Diagnostics;
using Fpn.Models.Detectors;

namespace Fpn.Serving.Requests;

/// <summary>The run that the images of a batch share.</summary>
/// <param name="Size">Images that shared the run.</param>
/// <param name="Preprocess">Resizing and normalizing of the whole batch.</param>
/// <param name="Inference">The run on the device: both graphs and the choice of proposals between them.</param>
/// <param name="Parts">Where the time of the run went.</param>
/// <param name="Trace">The batch's own span; default while there is no listener.</param>
internal sealed record BatchRun(
    int Size, StageSpan Preprocess, StageSpan Inference, InferenceTimes Parts, ActivityContext Trace);
