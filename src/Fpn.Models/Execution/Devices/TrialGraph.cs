using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Fpn.Models.Execution.Devices;

/// <summary>
/// One small convolution: whether a device does what the service asks of it, before a model is loaded for minutes or a
/// library that is missing (cuDNN is loaded late) fails the first request.
/// </summary>
/// <remarks>
/// <c>trial.onnx</c>: <c>y [1, 4, 8, 8]</c> is <c>x [1, 3, 8, 8]</c> convolved with 3×3 weights of 1/27 each, padded
/// by 1; away from the border, ones give ones.
/// </remarks>
internal static class TrialGraph
{
    private const string ResourceName = "Fpn.Models.Execution.Devices.trial.onnx";
    private const int Side = 8;
    private const int InputChannels = 3;
    private const int OutputChannels = 4;

    /// <summary>Loads it on the device.</summary>
    /// <returns>The caller disposes it.</returns>
    /// <exception cref="OnnxRuntimeException">The device cannot be used.</exception>
    public static InferenceSession Load(ExecutionDevice device)
    {
        using var options = device.CreateSessionOptions();

        // A GPU that leaves the convolution to the CPU has failed.
        options.AddSessionConfigEntry("session.disable_cpu_ep_fallback", device.Description.IsGpu ? "1" : "0");
        return new InferenceSession(ReadGraph(), options);
    }

    /// <summary>Convolves on the device, leaves the result there once and fetches it once.</summary>
    /// <param name="session">From <see cref="Load"/>.</param>
    /// <param name="device">What it was loaded on.</param>
    /// <exception cref="OnnxRuntimeException">The device cannot be used.</exception>
    /// <exception cref="ModelFailureException">It gave another result.</exception>
    public static void Run(InferenceSession session, ExecutionDevice device)
    {
        using var runOptions = new RunOptions();
        long[] inputShape = [1, InputChannels, Side, Side];
        long[] outputShape = [1, OutputChannels, Side, Side];
        const int OutputLength = OutputChannels * Side * Side;
        using var input = device.AllocateHost(InputChannels * Side * Side * sizeof(float));
        using var stays = device.Allocate(OutputLength * sizeof(float));
        using var fetched = device.AllocateHost(OutputLength * sizeof(float));
        using var inputTensor = input.View(TensorElementType.Float, inputShape);
        using var staysTensor = stays.View(TensorElementType.Float, outputShape);
        using var fetchedTensor = fetched.View(TensorElementType.Float, outputShape);
        Values(inputTensor).Fill(1);
        Values(fetchedTensor).Clear();
        foreach (var output in new[] { staysTensor, fetchedTensor })
        {
            session.Run(runOptions, ["x"], [inputTensor], ["y"], [output]);
        }

        var middle = Values(fetchedTensor)[(Side / 2 * Side) + (Side / 2)];
        if (!(MathF.Abs(middle - 1) < 0.01f))
        {
            throw new ModelFailureException($"the trial convolution gave {middle} instead of 1");
        }
    }

    private static Span<float> Values(OrtValue tensor) => tensor.GetTensorMutableDataAsSpan<float>();

    private static byte[] ReadGraph()
    {
        using var stream = typeof(TrialGraph).Assembly.GetManifestResourceStream(ResourceName)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
