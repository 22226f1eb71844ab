#!/usr/bin/env python3
"""Measures what several looks at an image bring, and what they cost.

    mosaics.py [--only benefit|everyday|augmentation|race] [--rounds 5] --shared ../shared http://localhost:8080

Asks a service that serves blood-cells and everyday, started with Fpn:Batching:Deadline=10m. Needs numpy and
Pillow (Debian: python3-numpy, python3-pil).

benefit       The BCCD test images, 16 at a time, as 4 x 4 mosaics of 2560 x 1920 pixels with their boxes: the whole
              picture against slices. AP as COCO has it, also for small, medium and large boxes (under 32², under 96²
              pixels, above), in pixels of the mosaic.
everyday      The same with everyday and the first 96 of its validation photographs, as mosaics of 1600 x 1600
              pixels; objects that are marked as difficult count as objects here.
augmentation  The BCCD test images as they are: scales and mirror images against one look.
race          16 slices of one mosaic against 16 requests for its parts at the same time, and one after the other.
"""

import argparse
import concurrent.futures
import http.client
import io
import json
import pathlib
import statistics
import tarfile
import time
import urllib.parse
import xml.etree.ElementTree

import numpy
import PIL.Image

THRESHOLDS = [0.5 + 0.05 * step for step in range(10)]
AREAS = {"all": (0, 1e10), "small": (0, 32 ** 2), "medium": (32 ** 2, 96 ** 2), "large": (96 ** 2, 1e10)}
SIDE = 4
TILE = (640, 480)


class Service:
    def __init__(self, address):
        self.address = urllib.parse.urlsplit(address)

    def detect(self, image, query="", model="blood-cells"):
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=600)
        try:
            connection.request("POST", f"/detect?model={model}&{query}", image)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise RuntimeError(body.decode())
            return json.loads(body)
        finally:
            connection.close()


def read_bccd(shared):
    """-> [(pixels, [(label, box)])] of the test split."""
    data = shared / "data" / "bccd"
    for name in (data / "ImageSets" / "Main" / "test.txt").read_text().split():
        picture = PIL.Image.open(data / "JPEGImages" / f"{name}.jpg").convert("RGB")
        truths = []
        for item in xml.etree.ElementTree.parse(data / "Annotations" / f"{name}.xml").iter("object"):
            box = [float(item.find("bndbox").find(side).text) for side in ("xmin", "ymin", "xmax", "ymax")]
            if box[2] - box[0] >= 2 and box[3] - box[1] >= 2:
                truths.append((item.find("name").text, box))
        yield picture, truths


def read_voc(shared, most):
    """-> [(pixels, [(label, box)])] of the first photographs of the split 'val'."""
    data = shared / "data" / "voc2007"
    notes = json.loads((data / "annotations.json").read_text())
    wanted = [name for name in sorted(notes) if notes[name]["split"] == "val"][:most]
    pictures = {}
    for path in sorted(data.glob("images-*.tar")):
        with tarfile.open(path) as tar:
            for member in tar:
                name = pathlib.PurePath(member.name).stem
                if name in wanted:
                    pictures[name] = PIL.Image.open(io.BytesIO(tar.extractfile(member).read())).convert("RGB")
    for name in wanted:
        yield pictures[name], [(entry[0], [float(side) for side in entry[1:5]]) for entry in notes[name]["objects"]]


def mosaics(images, tile=TILE):
    """Sixteen at a time, in the order of the split, each in its own size; those that are left over are not used."""
    for start in range(0, len(images) - SIDE * SIDE + 1, SIDE * SIDE):
        canvas, truths = PIL.Image.new("RGB", (tile[0] * SIDE, tile[1] * SIDE)), []
        for place, (picture, boxes) in enumerate(images[start:start + SIDE * SIDE]):
            left, top = place % SIDE * tile[0], place // SIDE * tile[1]
            canvas.paste(picture, (left, top))
            truths += [(label, [box[0] + left, box[1] + top, box[2] + left, box[3] + top]) for label, box in boxes]
        yield canvas, truths


def encode(picture, kind="JPEG"):
    buffer = io.BytesIO()
    picture.save(buffer, kind, quality=95)
    return buffer.getvalue()


def overlap(box, boxes):
    left_top, right_bottom = numpy.maximum(box[:2], boxes[:, :2]), numpy.minimum(box[2:], boxes[:, 2:])
    shared = numpy.prod(numpy.clip(right_bottom - left_top, 0, None), axis=1)
    area = numpy.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return shared / (numpy.prod(box[2:] - box[:2]) + area - shared)


def average_precision(found, truths, threshold, area):
    """One class. found: [(image, score, box)]; truths: {image: [G, 4]}. As COCO has it: boxes outside the range of
    areas neither count nor harm."""
    low, high = area
    sizes = {image: numpy.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for image, boxes in truths.items()}
    ignored = {image: (size < low) | (size >= high) for image, size in sizes.items()}
    total = sum(int((~flags).sum()) for flags in ignored.values())
    if total == 0:
        return None
    used = {image: numpy.zeros(len(boxes), bool) for image, boxes in truths.items()}
    hits = []
    for image, score, box in sorted(found, key=lambda entry: -entry[1]):
        boxes = truths[image]
        best = -1
        if len(boxes):
            overlaps = overlap(box, boxes)
            overlaps[used[image]] = -1
            inside = numpy.where(ignored[image], -1, overlaps)
            best = int(inside.argmax()) if inside.max() >= threshold else int(overlaps.argmax())
            best = best if overlaps[best] >= threshold else -1
        if best >= 0:
            used[image][best] = True
            if not ignored[image][best]:
                hits.append(True)
        elif low <= numpy.prod(box[2:] - box[:2]) < high:
            hits.append(False)
    hits = numpy.array(hits, bool)
    recall = hits.cumsum() / total
    precision = hits.cumsum() / numpy.arange(1, len(hits) + 1)
    precision = numpy.maximum.accumulate(precision[::-1])[::-1]
    at = numpy.searchsorted(recall, numpy.linspace(0, 1, 101), side="left")
    return float(numpy.mean([precision[place] if place < len(precision) else 0 for place in at]))


def score(pictures, answers):
    """-> {area: (AP, AP50)}, means over the classes that have boxes of that size."""
    labels = sorted({label for _, truths in pictures for label, _ in truths})
    figures = {}
    for name, area in AREAS.items():
        per_class = []
        for label in labels:
            truths = {index: numpy.array([box for other, box in boxes if other == label]).reshape(-1, 4)
                      for index, (_, boxes) in enumerate(pictures)}
            found = [(index, entry["score"], numpy.array([entry["box"][side] for side in ("x1", "y1", "x2", "y2")]))
                     for index, answer in enumerate(answers) for entry in answer["detections"]
                     if entry["label"] == label]
            at = [average_precision(found, truths, threshold, area) for threshold in THRESHOLDS]
            if at[0] is not None:
                per_class.append((statistics.mean(at), at[0]))
        figures[name] = tuple(map(statistics.mean, zip(*per_class))) if per_class else None
    return figures


def compare(service, pictures, queries, model="blood-cells"):
    images = [encode(picture, "PNG") for picture, _ in pictures]
    print("| query | views | " + " | ".join(f"AP {name}" for name in AREAS) + " | AP50 | s an image |")
    for query in queries:
        began = time.perf_counter()
        answers = [service.detect(image, query, model) for image in images]
        seconds = (time.perf_counter() - began) / len(images)
        figures = score(pictures, answers)
        cells = ["–" if figures[name] is None else f"{figures[name][0]:.3f}" for name in AREAS]
        views = statistics.mean(answer.get("views", 1) for answer in answers)
        print(f"| `{query or '(one look)'}` | {views:.0f} | {' | '.join(cells)} | {figures['all'][1]:.3f} | "
              f"{seconds:.2f} |", flush=True)


def race(service, picture, rounds):
    whole = encode(picture)
    parts = [encode(picture.crop((x * TILE[0], y * TILE[1], (x + 1) * TILE[0], (y + 1) * TILE[1])))
             for y in range(SIDE) for x in range(SIDE)]

    def slices():
        answer = service.detect(whole, f"slice={TILE[1]}x{TILE[0]}&overlap=0&wholeImage=false")
        assert answer["views"] == len(parts)

    def together():
        with concurrent.futures.ThreadPoolExecutor(len(parts)) as pool:
            list(pool.map(service.detect, parts))

    def one_by_one():
        for part in parts:
            service.detect(part)

    ways = {"slices": slices, "16 requests at once": together, "16 requests, one after the other": one_by_one}
    slices()
    times = {name: [] for name in ways}
    for number in range(rounds):
        order = list(ways.items()) if number % 2 == 0 else list(reversed(ways.items()))
        for name, way in order:
            began = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - began)
        seconds = ", ".join(f"{name} {seen[-1]:.2f} s" for name, seen in times.items())
        print(f"round {number + 1}: {seconds}", flush=True)
    for name in list(ways)[1:]:
        ratios = [other / own for own, other in zip(times["slices"], times[name])]
        print(f"slices against {name}: {statistics.median(ratios):.2f} times as fast "
              f"({min(ratios):.2f} to {max(ratios):.2f})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["benefit", "everyday", "augmentation", "race"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--shared", type=pathlib.Path, required=True)
    parser.add_argument("service")
    arguments = parser.parse_args()
    service = Service(arguments.service)
    images = list(read_bccd(arguments.shared))
    large = list(mosaics(images))
    if arguments.only in (None, "benefit"):
        compare(service, large, ["", "slice=480x640&overlap=0.2", "slice=480x640&overlap=0.2&merge=ios",
                                 "slice=480x640&overlap=0.2&merge=voting", "slice=960x1280&overlap=0.2",
                                 "slice=480x640&overlap=0.2&wholeImage=false"])
    if arguments.only in (None, "everyday"):
        photographs = list(read_voc(arguments.shared, 96))
        queries = ["", "slice=400&overlap=0.2", "slice=400&overlap=0.2&merge=ios",
                   "slice=400&overlap=0.2&wholeImage=false", "slice=800&overlap=0.2"]
        compare(service, list(mosaics(photographs, (400, 400))), queries, "everyday")
        compare(service, photographs, [""], "everyday")
    if arguments.only in (None, "augmentation"):
        compare(service, images, ["", "flip=true", "scales=320,384,448", "scales=320,384,448&flip=true",
                                  "scales=384,512&flip=true", "scales=320,384,448&flip=true&merge=voting"])
    if arguments.only in (None, "race"):
        race(service, large[0][0], arguments.rounds)


if __name__ == "__main__":
    main()
