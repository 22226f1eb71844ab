#!/usr/bin/env python3
"""Asks for detections by the Open Inference Protocol over gRPC and prints one JSON line for each.

    infer_grpc.py [--form raw|typed|stream] [--key KEY] [--timeout SECONDS] localhost:8001 MODEL IMAGE...

Needs grpcio and protoc (Debian: python3-grpcio, protobuf-compiler), and the description of the protocol: inference.proto
of this repository, or what --proto names.
"""

import argparse
import json
import os
import struct
import subprocess
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PROTO = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "../../src/Fpn.Service/OpenInferenceGrpc/inference.proto")


def load(path):
    """Makes the messages of the protocol from its description, by name."""
    folder, name = os.path.split(os.path.abspath(path))
    described = subprocess.run(
        ["protoc", f"--proto_path={folder}", "--descriptor_set_out=/dev/stdout", name], check=True, stdout=subprocess.PIPE)
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(described.stdout).file:
        pool.Add(file)
    make = getattr(message_factory, "GetMessageClass", None) or message_factory.MessageFactory(pool).GetPrototype
    return {name: make(pool.FindMessageTypeByName(f"inference.{name}"))
            for name in ("ModelInferRequest", "ModelInferResponse", "ModelStreamInferResponse")}


def request(messages, arguments, images, id):
    """A request for some images: raw, each after its length; or typed."""
    made = messages["ModelInferRequest"](model_name=arguments.model, id=id)
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
    messages = load(arguments.proto)
    metadata = [("x-api-key", arguments.key)] if arguments.key else []
    options = {"timeout": arguments.timeout, "metadata": metadata}
    service = "/inference.GRPCInferenceService/"
    send = messages["ModelInferRequest"].SerializeToString
    with grpc.insecure_channel(arguments.address) as channel:
        try:
            if arguments.form != "stream":
                infer = channel.unary_unary(service + "ModelInfer", send, messages["ModelInferResponse"].FromString)
                show(infer(request(messages, arguments, images, "all"), **options))
                return
            infer = channel.stream_stream(
                service + "ModelStreamInfer", send, messages["ModelStreamInferResponse"].FromString)
            requests = (request(messages, arguments, [image], str(i)) for i, image in enumerate(images))
            for answer in infer(requests, **options):
                if answer.error_message:
                    sys.exit(f"{answer.infer_response.id}: {answer.error_message}")
                show(answer.infer_response)
        except grpc.RpcError as error:
            sys.exit(f"{error.code().name}: {error.details()}")


if __name__ == "__main__":
    main()
