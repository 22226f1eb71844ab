#!/usr/bin/env python3
"""Measures what each step from R-CNN to Faster R-CNN saves, with one model and one picture.

    lineage.py [--model blood-cells] [--boxes 100] [--rounds 7] http://localhost:8080 docs/sample/smear.jpg

The service should be warm, have nothing else to do, and run with Fpn:Batching:MaxBatchSize=1. In turns:

regions, each alone   /regions once for each box: the backbone runs for every box, as in R-CNN
regions, together     /regions once with all boxes: the backbone runs once, as in SPPnet and Fast R-CNN
proposals             /proposals: the boxes come from the network itself, as in Faster R-CNN; the head does not run
detections            /detect: both stages
"""

import argparse
import http.client
import json
import statistics
import time
import urllib.parse


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="blood-cells")
    parser.add_argument("--boxes", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("service")
    parser.add_argument("image")
    arguments = parser.parse_args()
    address = urllib.parse.urlsplit(arguments.service)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=600)
    with open(arguments.image, "rb") as file:
        image = file.read()

    def ask(path, body, content_type):
        connection.request("POST", f"{path}{'&' if '?' in path else '?'}model={arguments.model}", body,
                           {"Content-Type": content_type})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(text.decode())
        return json.loads(text)

    def regions(boxes):
        line = "----boundary"
        body = (f"--{line}\r\nContent-Disposition: form-data; name=\"image\"; filename=\"image\"\r\n\r\n".encode()
                + image
                + f"\r\n--{line}\r\nContent-Disposition: form-data; name=\"boxes\"\r\n\r\n{json.dumps(boxes)}\r\n"
                  f"--{line}--\r\n".encode())
        return ask("/regions", body, f"multipart/form-data; boundary={line}")

    found = ask(f"/proposals?topN={arguments.boxes}", image, "application/octet-stream")["proposals"]
    boxes = [[entry["box"][side] for side in ("x1", "y1", "x2", "y2")] for entry in found]
    ways = {
        "regions, each alone": lambda: [regions([box]) for box in boxes],
        "regions, together": lambda: regions(boxes),
        "proposals": lambda: ask("/proposals", image, "application/octet-stream"),
        "detections": lambda: ask("/detect", image, "application/octet-stream"),
    }
    times = {name: [] for name in ways}
    for number in range(arguments.rounds):
        for name, way in ways.items() if number % 2 == 0 else reversed(ways.items()):
            began = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - began)
    print(f"{arguments.model}, {len(boxes)} boxes, {arguments.rounds} rounds")
    for name, seen in times.items():
        print(f"{name}: {statistics.median(seen) * 1000:.1f} ms ({min(seen) * 1000:.1f} to {max(seen) * 1000:.1f})")


if __name__ == "__main__":
    main()
