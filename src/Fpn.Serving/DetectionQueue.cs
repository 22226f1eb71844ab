using Fpn.Models;
using Fpn.Models.Packages;
using Fpn.Serving.Lanes;
using Fpn.Serving.Pipeline;
using Fpn.Serving.Requests;

namespace Fpn.Serving;

/// <summary>The door for callers in the same process.</summary>
internal sealed class DetectionQueue(DetectionStartup startup, LaneRegistry lanes, DetectionPipeline pipeline)
    : IDetectionQueue
{
    /// <inheritdoc/>
    public IReadOnlyList<ModelDescription> Models =>
        [.. lanes.Lanes.Select(lane => new ModelDescription(lane.Model.Contract, lanes.Device))];

    /// <inheritdoc/>
    public async Task<Result<DetectionResult>> DetectAsync(DetectionRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        await startup.LoadAsync().WaitAsync(request.Cancellation);
        var model = request.Model ?? lanes.DefaultModel;
        if (!lanes.TryTake(model, out var use))
        {
            return DetectionFailure.UnknownModel(model, lanes.Names);
        }

        using (use)
        {
            return await pipeline.DetectAsync(use.Lane, request);
        }
    }

    /// <inheritdoc/>
    public async Task LoadAsync(string model)
    {
        ArgumentException.ThrowIfNullOrEmpty(model);
        await startup.LoadAsync();
        if (await lanes.LoadAsync(model) is { } failure)
        {
            throw new ModelPackageException($"Model '{model}' was not loaded: {failure}");
        }
    }
}
