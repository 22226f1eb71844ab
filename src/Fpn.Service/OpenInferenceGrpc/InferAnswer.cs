using Fpn.Models.Detectors;
using Fpn.Models.Packages;
using Fpn.Service.OpenInference;
using Google.Protobuf;

namespace Fpn.Service.OpenInferenceGrpc;

/// <summary>Writes detections as a <c>ModelInferResponse</c>.</summary>
internal static class InferAnswer
{
    /// <summary>Writes the answer to a request.</summary>
    /// <param name="contract">The model that found them.</param>
    /// <param name="id">Id of the request; empty when it has none.</param>
    /// <param name="query">The request: which outputs, and whether they are raw.</param>
    /// <param name="detections">[N], each in the order of the answer.</param>
    public static ModelInferResponse Create(
        ModelContract contract, string id, InferQuery query, DetectedObject[][] detections)
    {
        var answer = new ModelInferResponse { ModelName = contract.Name, ModelVersion = contract.Version, Id = id };
        var total = detections.Sum(image => image.Length);
        foreach (var tensor in query.Outputs.Count == 0 ? Tensors.All : query.Outputs.Select(output => output.Tensor))
        {
            var output = new ModelInferResponse.Types.InferOutputTensor
            {
                Name = tensor.Name(),
                Datatype = tensor.Datatype(),
                Shape = { total },
            };
            if (tensor.Width() > 1)
            {
                output.Shape.Add(tensor.Width());
            }

            answer.Outputs.Add(output);
            if (query.Choices.BinaryOutputs)
            {
                var bytes = new byte[total * tensor.Width() * tensor.ElementSize()];
                OutputBytes.Write(bytes, tensor, detections, contract);
                answer.RawOutputContents.Add(UnsafeByteOperations.UnsafeWrap(bytes));
            }
            else
            {
                output.Contents = Contents(tensor, contract, detections);
            }
        }

        return answer;
    }

    private static InferTensorContents Contents(
        OutputTensor tensor, ModelContract contract, DetectedObject[][] detections)
    {
        var contents = new InferTensorContents();
        foreach (var (i, image) in detections.Index())
        {
            foreach (var detection in image)
            {
                switch (tensor)
                {
                    case OutputTensor.Boxes:
                        var box = detection.Box;
                        contents.Fp32Contents.Add([box.X1, box.Y1, box.X2, box.Y2]);
                        break;
                    case OutputTensor.Scores:
                        contents.Fp32Contents.Add(detection.Score);
                        break;
                    case OutputTensor.Labels:
                        contents.Int64Contents.Add(contract.ClassIds[detection.Label]);
                        break;
                    default:
                        contents.Int64Contents.Add(i);
                        break;
                }
            }
        }

        return contents;
    }
}
