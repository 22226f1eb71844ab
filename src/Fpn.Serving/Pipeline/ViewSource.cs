using Fpn.Models.Detectors;
using Fpn.Serving.Queue;

namespace Fpn.Serving.Pipeline;

/// <summary>Where the pixels of an image's views come from.</summary>
internal abstract class ViewSource
{
    /// <summary>Whether the pixels of all views are there already, so that <see cref="TakeAsync"/> does not
    /// wait.</summary>
    public abstract bool IsDecoded { get; }

    /// <summary>Gets the pixels of a view.</summary>
    /// <param name="view">Its place in the plan.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>What the model sees, and its picture, which the caller lets go.</returns>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    /// <exception cref="ImageRefusedException">The pixels cannot be decoded.</exception>
    public abstract ValueTask<(MeasuredImage Image, SharedPicture Picture)> TakeAsync(
        int view, CancellationToken cancellationToken);
}

/// <summary>A picture that was decoded as a whole: all views share it.</summary>
/// <param name="plan">The views.</param>
/// <param name="picture">The picture; held by the creator of this.</param>
internal sealed class WholePicture(ViewPlan plan, SharedPicture picture) : ViewSource
{
    /// <inheritdoc/>
    public override bool IsDecoded => true;

    /// <inheritdoc/>
    public override ValueTask<(MeasuredImage Image, SharedPicture Picture)> TakeAsync(
        int view, CancellationToken cancellationToken) =>
        new((new MeasuredImage(picture.Image, plan.Views[view], plan.Geometries[view]), picture.Hold()));
}
