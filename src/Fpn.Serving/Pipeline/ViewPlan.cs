using Fpn.Detection.Geometry;
using Fpn.Detection.Views;
using Fpn.Models.Detectors;
using Fpn.Serving.Lanes;
using Fpn.Serving.Requests;

namespace Fpn.Serving.Pipeline;

/// <summary>The views of one image, measured and within the limits before a pixel is decoded.</summary>
internal sealed class ViewPlan
{
    private readonly View[] _views;
    private readonly ImageGeometry[] _geometries;
    private readonly int[] _weights;

    private ViewPlan(ViewOptions options, View[] views, ImageGeometry[] geometries, int[] weights, int places)
    {
        (Options, Places) = (options, places);
        (_views, _geometries, _weights) = (views, geometries, weights);
    }

    /// <summary>What was asked for.</summary>
    public ViewOptions Options { get; }

    /// <summary>At least one.</summary>
    public IReadOnlyList<View> Views => _views;

    /// <summary>Places that the views take in the queue: their weights together. Regions that are worth more than the
    /// whole queue take all of it, and so are let in when it is empty.</summary>
    public int Places { get; }

    /// <summary>The sizes that each view goes through.</summary>
    public IReadOnlyList<ImageGeometry> Geometries => _geometries;

    /// <summary>How many images each view is worth on the device: 1, more with more pixels than the model's own size
    /// has, or with more given regions than an image has proposals.</summary>
    public IReadOnlyList<int> Weights => _weights;

    /// <summary>Whether a view shows the whole image.</summary>
    /// <param name="image">The image's size.</param>
    public bool LooksAtWhole(ImageSize image) =>
        Array.Exists(_views, view => view.Region == new PixelRectangle(image));

    /// <summary>Plans the views of an image: those of the request, else those of the model's package; one look where
    /// something else than detections is asked for.</summary>
    /// <param name="lane">The model that will look.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="image">The image's size.</param>
    /// <param name="limits">The most that the views may cost.</param>
    public static Result<ViewPlan> Create(
        ModelLane lane, DetectionRequest request, ImageSize image, ViewLimits limits)
    {
        var contract = lane.Model.Contract;
        var options = request.Task != ImageTask.Detection ? ViewOptions.OneView : request.Views ?? contract.Views;
        if (options.Scales.Count > 0 && contract.ScalesRefusal is { } refusal)
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
        var weights = new int[views.Length];
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

            weights[i] = views[i].MinSize is null ? 1 : (int)Math.Min(lane.PlacesFor(padded), int.MaxValue);
            places += weights[i];
        }

        if (request.Task != ImageTask.Detection)
        {
            weights[0] = request.PlacesFor(contract.Proposals);
            places = Math.Min(weights[0], lane.Limit);
        }

        return places <= lane.Limit
            ? new ViewPlan(options, views, geometries, weights, (int)places)
            : new DetectionFailure(
                FailureKind.TooManyViews,
                $"The {count} views of this image take {places} places in the queue, which has {lane.Limit}. Ask for "
                + "fewer views or smaller scales.");
    }
}
