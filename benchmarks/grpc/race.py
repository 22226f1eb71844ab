#!/usr/bin/env python3
"""Asks one service for the same images over HTTP and gRPC, in turns, and prints throughput, latency and their ratio.

    race.py [--clients 4] [--seconds 10] [--rounds 4] http://localhost:8080 localhost:8001 MODEL IMAGE...

Both send one image a request and take raw outputs: HTTP as the raw form of /v2, gRPC as raw_input_contents. Needs what
docs/sample/infer_grpc.py needs.
"""

import argparse
import http.client
import os
import statistics
import struct
import sys
import threading
import time
import urllib.parse

import grpc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/sample"))
import infer_grpc  # noqa: E402


class OverHttp:
    """One connection that is kept."""

    name = "HTTP"

    def __init__(self, arguments):
        parts = urllib.parse.urlsplit(arguments.http)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port)
        self.path = f"/v2/models/{arguments.model}/infer"

    def ask(self, image):
        self.connection.request("POST", self.path, image, {"Inference-Header-Content-Length": "0"})
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(body)


class OverGrpc:
    """One channel with a connection of its own."""

    name = "gRPC"

    def __init__(self, arguments):
        self.model = arguments.model
        self.messages = arguments.messages
        self.channel = grpc.insecure_channel(
            arguments.grpc, options=[("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)])
        self.infer = self.channel.unary_unary(
            "/inference.GRPCInferenceService/ModelInfer",
            self.messages["ModelInferRequest"].SerializeToString,
            self.messages["ModelInferResponse"].FromString)

    def ask(self, image):
        request = self.messages["ModelInferRequest"](model_name=self.model)
        request.inputs.add(name="image", datatype="BYTES", shape=[1])
        request.raw_input_contents.append(struct.pack("<I", len(image)) + image)
        self.infer(request)


def run(kind, arguments, images):
    """All clients at once for some seconds: requests a second, and the times of single requests."""
    times, failures = [], []
    end = time.perf_counter() + arguments.seconds

    def client(number):
        try:
            asker = kind(arguments)
            turn = number
            while time.perf_counter() < end:
                start = time.perf_counter()
                asker.ask(images[turn % len(images)])
                times.append(time.perf_counter() - start)
                turn += 1
        except Exception as failure:
            failures.append(failure)

    started = time.perf_counter()
    threads = [threading.Thread(target=client, args=(i,)) for i in range(arguments.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return len(times) / (time.perf_counter() - started), statistics.median(times) * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("http")
    parser.add_argument("grpc")
    parser.add_argument("model")
    parser.add_argument("images", nargs="+")
    arguments = parser.parse_args()
    arguments.messages = infer_grpc.load(infer_grpc.PROTO)
    images = []
    for path in arguments.images:
        with open(path, "rb") as file:
            images.append(file.read())
    kinds = [OverHttp, OverGrpc]
    for kind in kinds:
        kind(arguments).ask(images[0])
    rates, medians = {}, {}
    for number in range(arguments.rounds):
        # The one that goes first changes from round to round.
        for kind in kinds if number % 2 == 0 else kinds[::-1]:
            rate, median = run(kind, arguments, images)
            rates.setdefault(kind.name, []).append(rate)
            medians.setdefault(kind.name, []).append(median)
            print(f"round {number + 1}, {kind.name}: {rate:.2f} images/s, median {median:.1f} ms", flush=True)
    ratios = [ours / theirs for ours, theirs in zip(rates["gRPC"], rates["HTTP"])]
    print(f"gRPC / HTTP, {arguments.clients} clients: throughput {statistics.median(ratios):.3f} "
          f"({min(ratios):.3f} to {max(ratios):.3f}), median latency "
          f"{statistics.median(medians['gRPC']) / statistics.median(medians['HTTP']):.3f}")


if __name__ == "__main__":
    main()
