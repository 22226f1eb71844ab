namespace Fpn.Service.OpenInference.Outputs;

/// <summary>Takes the numbers of an output, row-major.</summary>
internal interface INumberSink
{
    /// <summary>Takes a number of an FP32 output.</summary>
    void Add(float number);

    /// <summary>Takes a number of an INT64 output.</summary>
    void Add(long number);
}
