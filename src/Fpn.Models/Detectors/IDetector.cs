using Fpn.Detection.Geometry;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Execution.Sessions;
using Fpn.Models.Packages;

namespace Fpn.Models.Detectors;

/// <summary>A loaded model. Its three steps can run for three batches at the same time.</summary>
internal interface IDetector : IDisposable
{
    /// <summary>What the model promises.</summary>
    ModelContract Contract { get; }

    /// <summary>
    /// Shapes that were first seen after the warm-up, by graph; 0 where shapes are not fixed, empty where they cannot
    /// be.
    /// </summary>
    IReadOnlyDictionary<string, long> UnwarmedShapes { get; }

    /// <summary>Its graphs, in the order in which they run.</summary>
    IReadOnlyList<OnnxGraph> Graphs { get; }

    /// <summary>Images that one batch may hold at most; 1 where the graph cannot batch.</summary>
    int LargestBatch { get; }

    /// <summary>Computes the sizes that an image goes through, without touching a pixel. Once for each image, which
    /// then travels as a <see cref="MeasuredImage"/>. Works after <see cref="IDisposable.Dispose"/>, too.</summary>
    /// <param name="original">Size of the image, or of the part of it that the model sees.</param>
    /// <param name="minSize">The shorter side after resizing; null for the model's own. A graph that resizes images
    /// itself has its own only.</param>
    ImageGeometry Measure(ImageSize original, int? minSize = null);

    /// <summary>Resizes and normalizes images into one batch tensor. Thread-safe.</summary>
    /// <param name="padded">Size of the tensor; at least the padded size of every image.</param>
    /// <param name="images">From one to <see cref="LargestBatch"/> images, measured by this model; still the caller's
    /// afterwards.</param>
    /// <returns>The batch; the caller disposes it.</returns>
    PreparedBatch Prepare(ImageSize padded, IReadOnlyList<MeasuredImage> images);

    /// <summary>
    /// Fixes the shapes that the graphs run in, sets memory apart for them and runs every one of them once. Blocks, for
    /// minutes where algorithms are searched for; before the first <see cref="Prepare"/>.
    /// </summary>
    /// <param name="shapes">The shapes.</param>
    /// <param name="progress">Receives how many of them are done.</param>
    /// <exception cref="ModelFailureException">The model failed, or there is not enough memory.</exception>
    void WarmUp(FixedShapes shapes, Action<int> progress);

    /// <summary>Runs the graphs and what lies between them. Blocks; thread-safe.</summary>
    /// <param name="batch">Still the caller's afterwards.</param>
    /// <returns>What <see cref="InferredBatch.Select"/> needs; the caller disposes it.</returns>
    /// <exception cref="Fpn.Detection.Tensors.NonFiniteOutputException">The model gave NaN or infinity.</exception>
    /// <exception cref="ModelFailureException">The model failed, or its outputs have other shapes than
    /// promised.</exception>
    InferredBatch Infer(PreparedBatch batch);
}
