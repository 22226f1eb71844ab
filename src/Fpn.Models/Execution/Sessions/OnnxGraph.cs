using System.Security.Cryptography;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Packages;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Fpn.Models.Execution.Sessions;

/// <summary>One loaded graph: its session, with names and shapes checked when it is loaded.</summary>
internal sealed class OnnxGraph : IDisposable
{
    private static readonly string[] DeviceFailures =
        ["CUDA failure", "CUDA error", "CUDNN failure", "CUDNN_FE failure", "CUBLAS failure", "CUFFT failure"];

    /// <summary>Failures that leave the session as it was: less would have fitted.</summary>
    private static readonly string[] MemoryFailures = ["out of memory", "ALLOC_FAILED"];

    /// <summary>
    /// A backbone's only input: images may be float16 where all else is float32, so its type says nothing.
    /// </summary>
    private const string ImagesInput = "images";

    private readonly InferenceSession _session;

    private OnnxGraph(InferenceSession session, string path, NodePlacement placement)
    {
        _session = session;
        Path = path;
        Placement = placement;
    }

    /// <summary>The file it was loaded from.</summary>
    public string Path { get; }

    /// <summary>What runs each of its nodes.</summary>
    public NodePlacement Placement { get; }

    /// <summary>Its inputs, in the file's order.</summary>
    public IEnumerable<TensorPort> Inputs => Ports(_session.InputNames, _session.InputMetadata);

    /// <summary>Its outputs, in the file's order.</summary>
    public IEnumerable<TensorPort> Outputs => Ports(_session.OutputNames, _session.OutputMetadata);

    /// <summary>The version of ONNX's operators that it was written for; null where it uses none.</summary>
    public int? Opset => SessionFacts.ReadOpset(_session);

    /// <summary>How it runs.</summary>
    internal RunOptions RunOptions { get; } = new();

    /// <summary>Loads a graph, after its checksum was compared.</summary>
    /// <param name="file">The graph.</param>
    /// <param name="device">What it will run on.</param>
    /// <exception cref="ModelPackageException">The checksum differs, or ONNX Runtime refuses the file.</exception>
    public static OnnxGraph Load(GraphFile file, ExecutionDevice device)
    {
        try
        {
            var bytes = File.ReadAllBytes(file.Path);
            var actual = Convert.ToHexStringLower(SHA256.HashData(bytes));
            if (actual != file.Sha256)
            {
                throw new ModelPackageException(
                    $"{file.Path}: its sha256 is {actual}, but key '{file.Key}.sha256' of model.json says "
                    + $"{file.Sha256}: the file is damaged, or was replaced without its manifest.");
            }

            ExternalData.RequireNone(file.Path, bytes);

            // From the bytes that were checked, so that what runs is what the checksum stands for.
            var session = CreateSession(bytes, device);
            try
            {
                var placement = new NodePlacement(SessionFacts.ReadNodes(session), device.Description.Provider);
                return new OnnxGraph(session, file.Path, placement);
            }
            catch
            {
                session.Dispose();
                throw;
            }
        }
        catch (Exception exception)
            when (exception is OnnxRuntimeException or IOException or UnauthorizedAccessException)
        {
            throw new ModelPackageException(
                $"{file.Path}: cannot be loaded: {exception.Message.ReplaceLineEndings(" ")}", exception);
        }
    }

    /// <summary>Whether it computes in float16.</summary>
    private static bool IsInHalf(InferenceSession session) =>
        session.OutputMetadata.Values
            .Concat(session.InputMetadata.Where(input => input.Key != ImagesInput).Select(input => input.Value))
            .Any(node => node.IsTensor && node.ElementDataType == TensorElementType.Float16);

    private static InferenceSession CreateSession(byte[] bytes, ExecutionDevice device)
    {
        var session = Create(inHalf: false);
        if (!device.AsksForArithmetic || !IsInHalf(session))
        {
            return session;
        }

        session.Dispose();
        return Create(inHalf: true);

        InferenceSession Create(bool inHalf)
        {
            using var options = device.CreateSessionOptions(inHalf);
            options.AddSessionConfigEntry(SessionFacts.RecordPlacement, "1");
            return new InferenceSession(bytes, options);
        }
    }

    /// <summary>Checks that an input is there, and returns its element type.</summary>
    /// <param name="name">Name of the input.</param>
    /// <param name="rank">Its number of dimensions.</param>
    /// <exception cref="ModelPackageException">It is missing or has another rank.</exception>
    public TensorElementType RequireInput(string name, int rank) =>
        Require(_session.InputMetadata, "input", name, rank);

    /// <summary>Checks that there are no inputs but these.</summary>
    /// <exception cref="ModelPackageException">There is another one, which would never be fed.</exception>
    public void RequireNoOtherInputs(IEnumerable<string> names)
    {
        var extra = _session.InputMetadata.Keys.Except(names).FirstOrDefault();
        if (extra is not null)
        {
            throw new ModelPackageException(
                $"{Path}: input '{extra}' is not part of the layout, and nothing would feed it.");
        }
    }

    /// <summary>Checks that an output is there, and returns its element type.</summary>
    /// <inheritdoc cref="RequireInput"/>
    public TensorElementType RequireOutput(string name, int rank) =>
        Require(_session.OutputMetadata, "output", name, rank);

    /// <summary>Makes a binding, through which it is run; to be disposed before the graph.</summary>
    public GraphBinding Bind() => new(this, _session);

    /// <summary>
    /// Runs the graph into memory that is there. Blocks until everything is written. Several runs may go on at the same
    /// time.
    /// </summary>
    /// <param name="inputNames">Names of the inputs.</param>
    /// <param name="inputs">Their tensors; what does not lie on the device is copied there by the run itself, in order
    /// with its computing.</param>
    /// <param name="outputNames">Names of the outputs.</param>
    /// <param name="outputs">Where they are written: of exactly their shapes, on the device or where the CPU
    /// reads.</param>
    /// <exception cref="DeviceLostException">The device failed: the session is of no use any more.</exception>
    /// <exception cref="ModelFailureException">The graph failed.</exception>
    public void Run(
        IReadOnlyCollection<string> inputNames,
        IReadOnlyCollection<OrtValue> inputs,
        IReadOnlyCollection<string> outputNames,
        IReadOnlyCollection<OrtValue> outputs)
    {
        try
        {
            _session.Run(RunOptions, inputNames, inputs, outputNames, outputs);
        }
        catch (OnnxRuntimeException exception)
        {
            throw Failure(System.IO.Path.GetFileName(Path), exception);
        }
    }

    /// <summary>
    /// Distinguishes a lost device, after which nothing works until the session is loaded again, from a graph that
    /// failed.
    /// </summary>
    /// <param name="graph">Name of the graph's file.</param>
    /// <param name="exception">What ONNX Runtime said; its CUDA provider begins such messages with the library that
    /// failed.</param>
    internal static Exception Failure(string graph, Exception exception)
    {
        var message = $"{graph} failed: {exception.Message.ReplaceLineEndings(" ")}";
        return Names(DeviceFailures) && !Names(MemoryFailures)
            ? new DeviceLostException(message, exception)
            : new ModelFailureException(message, exception);

        bool Names(string[] failures) =>
            failures.Any(failure => exception.Message.Contains(failure, StringComparison.Ordinal));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _session.Dispose();
        RunOptions.Dispose();
    }

    private static IEnumerable<TensorPort> Ports(
        IReadOnlyList<string> names, IReadOnlyDictionary<string, NodeMetadata> nodes) =>
        names.Select(name => TensorPort.Create(name, nodes[name]));

    private TensorElementType Require(
        IReadOnlyDictionary<string, NodeMetadata> nodes, string kind, string name, int rank)
    {
        if (!nodes.TryGetValue(name, out var node))
        {
            throw new ModelPackageException(
                $"{Path}: {kind} '{name}' is missing; the graph has {string.Join(", ", nodes.Keys)}.");
        }

        if (!node.IsTensor || node.Dimensions.Length != rank)
        {
            var actual = node.IsTensor ? node.Dimensions.Length : 0;
            throw new ModelPackageException(
                $"{Path}: {kind} '{name}' must be a tensor of rank {rank}; its rank is {actual}.");
        }

        return node.ElementDataType;
    }
}
