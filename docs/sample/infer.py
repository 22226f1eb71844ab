#!/usr/bin/env python3
"""A client of the Open Inference Protocol in nothing but Python's standard library.

    infer.py [--form json|binary|raw] http://localhost:8080 everyday image.jpg [image.jpg ...]

Prints one JSON object a detection. The form `raw` takes one image.
"""
import argparse
import base64
import http.client
import json
import struct
import sys
from urllib.parse import quote, urlsplit

FORMATS = {"FP32": "f", "INT64": "q"}
LENGTH = "Inference-Header-Content-Length"


def request_json(images):
    tensor = {"name": "image", "shape": [len(images)], "datatype": "BYTES",
              "data": [base64.b64encode(image).decode() for image in images]}
    return json.dumps({"id": "1", "inputs": [tensor]}).encode(), {"Content-Type": "application/json"}


def request_binary(images):
    # Every element of a BYTES tensor: its length, four bytes little-endian, and itself.
    data = b"".join(struct.pack("<I", len(image)) + image for image in images)
    tensor = {"name": "image", "shape": [len(images)], "datatype": "BYTES",
              "parameters": {"binary_data_size": len(data)}}
    head = json.dumps({"id": "1", "parameters": {"binary_data_output": True}, "inputs": [tensor]}).encode()
    return head + data, {"Content-Type": "application/octet-stream", LENGTH: str(len(head))}


def request_raw(images):
    (image,) = images
    return image, {"Content-Type": "application/octet-stream", LENGTH: "0"}


def read_outputs(body, length):
    """The outputs by name, each a flat list of numbers."""
    head = json.loads(body[:length])
    at, outputs = length, {}
    for output in head["outputs"]:
        if "data" in output:
            outputs[output["name"]] = output["data"]
            continue
        size = output["parameters"]["binary_data_size"]
        kind = FORMATS[output["datatype"]]
        outputs[output["name"]] = struct.unpack(f"<{size // struct.calcsize(kind)}{kind}", body[at:at + size])
        at += size
    assert at == len(body), "bytes are left over"
    return outputs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--form", choices=["json", "binary", "raw"], default="binary")
    parser.add_argument("address")
    parser.add_argument("model")
    parser.add_argument("images", nargs="+")
    arguments = parser.parse_args()

    images = []
    for path in arguments.images:
        with open(path, "rb") as file:
            images.append(file.read())
    body, headers = {"json": request_json, "binary": request_binary, "raw": request_raw}[arguments.form](images)

    address = urlsplit(arguments.address)
    connection = http.client.HTTPConnection(address.hostname, address.port or 80)
    connection.request("POST", f"/v2/models/{quote(arguments.model, safe='')}/infer", body, headers)
    response = connection.getresponse()
    answer = response.read()
    if response.status != 200:
        sys.exit(f"{response.status}: {json.loads(answer)['error']}")

    outputs = read_outputs(answer, int(response.getheader(LENGTH, len(answer))))
    for row, (image, label, score) in enumerate(zip(outputs["image_index"], outputs["labels"], outputs["scores"])):
        box = [round(value, 3) for value in outputs["boxes"][4 * row:4 * row + 4]]
        print(json.dumps({"image": image, "classId": label, "score": round(score, 5), "box": box}))


if __name__ == "__main__":
    main()
