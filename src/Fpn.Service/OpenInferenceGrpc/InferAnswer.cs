using Fpn.Service.OpenInference.Outputs;
using Google.Protobuf;

namespace Fpn.Service.OpenInferenceGrpc;

/// <summary>Writes a <c>ModelInferResponse</c>.</summary>
internal static class InferAnswer
{
    /// <summary>Writes the answer to a request.</summary>
    /// <param name="id">Id of the request; empty when it has none.</param>
    /// <param name="query">The request: which outputs, and whether they are raw.</param>
    /// <param name="rows">What its images gave.</param>
    public static ModelInferResponse Create(string id, InferQuery query, OutputRows rows)
    {
        var answer = new ModelInferResponse
        {
            ModelName = rows.Contract.Name,
            ModelVersion = rows.Contract.Version,
            Id = id,
        };
        foreach (var tensor in query.Outputs.Count == 0
            ? Tensors.OfDetections
            : query.Outputs.Select(output => output.Tensor))
        {
            var output = new ModelInferResponse.Types.InferOutputTensor
            {
                Name = tensor.Name(),
                Datatype = tensor.Datatype(),
                Shape = { rows.Count },
            };
            if (tensor.Width() > 1)
            {
                output.Shape.Add(tensor.Width());
            }

            answer.Outputs.Add(output);
            if (query.Choices.BinaryOutputs)
            {
                var bytes = new byte[rows.SizeOf(tensor)];
                rows.WriteBytes(tensor, bytes);
                answer.RawOutputContents.Add(UnsafeByteOperations.UnsafeWrap(bytes));
            }
            else
            {
                output.Contents = new InferTensorContents();
                var contents = new TypedContents(output.Contents);
                rows.Write(tensor, ref contents);
            }
        }

        return answer;
    }

    /// <summary>Adds numbers to typed contents.</summary>
    private readonly struct TypedContents(InferTensorContents contents) : INumberSink
    {
        /// <inheritdoc/>
        public void Add(float number) => contents.Fp32Contents.Add(number);

        /// <inheritdoc/>
        public void Add(long number) => contents.Int64Contents.Add(number);
    }
}
