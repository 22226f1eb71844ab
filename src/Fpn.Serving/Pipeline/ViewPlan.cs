using Fpn.Detection.Geometry;
using Fpn.Detection.Views;
using Fpn.Models.Detectors;
using Fpn.Serving.Lanes;
using Fpn.Serving.Requests;

namespace Fpn.Serving.Pipeline;

/// <summary>The views of one image, measured and within the limits before a pixel is decoded.</summary>
internal sealed class ViewPlan
{
    private readonly ImageGeometry[] _geometries;

    private ViewPlan(ViewOptions options, View[] views, ImageGeometry[] geometries, int places) =>
        (Options, Views, _geometries, Places) = (options, views, geometries, places);

    /// <summary>What was asked for.</summary>
    public ViewOptions Options { get; }

    /// <summary>At least one.</summary>
    public IReadOnlyList<View> Views { get; }

    /// <summary>Places that the views take in the queue: one each, more for those with more pixels than the model's own
    /// size has.</summary>
    public int Places { get; }

    /// <summary>The sizes that each view goes through.</summary>
    public IReadOnlyList<ImageGeometry> Geometries => _geometries;

    /// <summary>Plans the views of an image.</summary>
    /// <param name="lane">The model that will look.</param>
    /// <param name="options">Which views.</param>
    /// <param name="image">The image's size.</param>
    /// <param name="limits">The most that they may cost.</param>
    public static Result<ViewPlan> Create(ModelLane lane, ViewOptions options, ImageSize image, ViewLimits limits)
    {
        if (options.Scales.Count > 0 && lane.Model.Contract.ScalesRefusal is { } refusal)
        {
            return new DetectionFailure(FailureKind.NotScalable, refusal);
        }

        var count = options.Count(image);
        if (count > limits.MaxViews)
        {
            return DetectionFailure.TooManyViews(image, count, limits.MaxViews);
        }

        var views = options.List(image);
        var geometries = Array.ConvertAll(views, view => lane.Model.Measure(view));
        var places = 0L;
        for (var i = 0; i < views.Length; i++)
        {
            var padded = geometries[i].Padded;
            if (views[i].MinSize is not null && padded.Area > limits.MaxViewPixels)
            {
                return new DetectionFailure(
                    FailureKind.TooManyPixels,
                    $"A view would be {padded.Width} pixels wide and {padded.Height} high after resizing; at most "
                    + $"{limits.MaxViewPixels} pixels in all are allowed. Ask for smaller scales.");
            }

            places += views[i].MinSize is null ? 1 : lane.PlacesFor(padded);
        }

        return places <= lane.Limit
            ? new ViewPlan(options, views, geometries, (int)places)
            : new DetectionFailure(
                FailureKind.TooManyViews,
                $"The {count} views of this image take {places} places in the queue, which has {lane.Limit}. Ask for "
                + "fewer views or smaller scales.");
    }
}
