#!/usr/bin/env python3
"""Asks for detections by the Open Inference Protocol over gRPC and prints one JSON line for each.

    infer_grpc.py [--form raw|typed|stream] [--key KEY] [--timeout SECONDS] localhost:8001 MODEL IMAGE...

Needs grpcio and grpcio-tools (Debian: python3-grpcio, python3-grpc-tools), and inference.proto of this repository or the
protocol's own: --proto names it.
"""

import argparse
import json
import os
import struct
import sys

import grpc

PROTO = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "../../src/Fpn.Service/OpenInferenceGrpc/inference.proto")


def load(path):
    """Messages and stubs, made from the description of the protocol."""
    folder, name = os.path.split(os.path.abspath(path))
    sys.path.insert(0, folder)
    return grpc.protos_and_services(name)


def request(messages, arguments, images, id):
    """A request for some images: raw, each after its length; or typed."""
    made = messages.ModelInferRequest(model_name=arguments.model, id=id)
    tensor = made.inputs.add(name="image", datatype="BYTES", shape=[len(images)])
    if arguments.form == "typed":
        tensor.contents.bytes_contents.extend(images)
        made.parameters["binary_data_output"].bool_param = False
    else:
        made.raw_input_contents.append(b"".join(struct.pack("<I", len(image)) + image for image in images))
    return made


def numbers(answer, name, form):
    """The elements of an output, from either form."""
    index = [output.name for output in answer.outputs].index(name)
    output = answer.outputs[index]
    if not answer.raw_output_contents:
        return list(output.contents.fp32_contents or output.contents.int64_contents)
    raw = answer.raw_output_contents[index]
    return [value for value, in struct.iter_unpack(form, raw)]


def show(answer):
    """One line for each detection."""
    boxes, scores = numbers(answer, "boxes", "<f"), numbers(answer, "scores", "<f")
    labels, images = numbers(answer, "labels", "<q"), numbers(answer, "image_index", "<q")
    for i, score in enumerate(scores):
        print(json.dumps({
            "id": answer.id, "image": images[i], "classId": labels[i], "score": score, "box": boxes[4 * i:4 * i + 4]}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--form", choices=["raw", "typed", "stream"], default="raw")
    parser.add_argument("--key")
    parser.add_argument("--timeout", type=float)
    parser.add_argument("--proto", default=PROTO)
    parser.add_argument("address")
    parser.add_argument("model")
    parser.add_argument("images", nargs="+")
    arguments = parser.parse_args()
    images = []
    for path in arguments.images:
        with open(path, "rb") as file:
            images.append(file.read())
    messages, services = load(arguments.proto)
    metadata = [("x-api-key", arguments.key)] if arguments.key else []
    with grpc.insecure_channel(arguments.address) as channel:
        service = services.GRPCInferenceServiceStub(channel)
        try:
            if arguments.form != "stream":
                show(service.ModelInfer(
                    request(messages, arguments, images, "all"), timeout=arguments.timeout, metadata=metadata))
                return
            requests = (request(messages, arguments, [image], str(i)) for i, image in enumerate(images))
            for answer in service.ModelStreamInfer(requests, timeout=arguments.timeout, metadata=metadata):
                if answer.error_message:
                    sys.exit(f"{answer.infer_response.id}: {answer.error_message}")
                show(answer.infer_response)
        except grpc.RpcError as error:
            sys.exit(f"{error.code().name}: {error.details()}")


if __name__ == "__main__":
    main()
