"""Reads answers of the service with other people's code and prints the boxes as xyxy in pixels.

Usage: read_formats.py FOLDER..., each with coco.json, voc.xml, yolo.txt and picture.png of one image; prints a line for
each. torchvision reads VOC and converts COCO's and YOLO's boxes, numpy reads YOLO's lines, Pillow the image's size.
"""
import json
import os
import sys
import warnings
import xml.etree.ElementTree as ElementTree

import numpy
import torch
from PIL import Image
from torchvision.datasets.voc import VOCDetection
from torchvision.ops import box_convert


def read_coco(path):
    results = json.load(open(path))
    boxes = torch.tensor([result["bbox"] for result in results], dtype=torch.float64).reshape(-1, 4)
    return {
        "boxes": box_convert(boxes, "xywh", "xyxy").tolist(),
        "classes": [result["category_id"] for result in results],
        "scores": [result["score"] for result in results],
        "images": [result["image_id"] for result in results],
    }


def read_voc(path):
    annotation = VOCDetection.parse_voc_xml(ElementTree.parse(path).getroot())["annotation"]
    objects = annotation.get("object", [])
    boxes = []
    for found in objects:
        bounds = {side: int(text) for side, text in found["bndbox"].items()}
        boxes.append([bounds["xmin"] - 1, bounds["ymin"] - 1, bounds["xmax"], bounds["ymax"]])
    return {
        "boxes": boxes,
        "classes": [found["name"] for found in objects],
        "scores": [float(found["score"]) for found in objects],
        "size": [int(annotation["size"]["width"]), int(annotation["size"]["height"])],
    }


def read_yolo(path, size):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about files without a line
        lines = numpy.loadtxt(path, ndmin=2).reshape(-1, 6)
    boxes = torch.from_numpy(lines[:, 1:5] * [*size, *size])
    return {
        "boxes": box_convert(boxes, "cxcywh", "xyxy").tolist(),
        "classes": [int(number) for number in lines[:, 0]],
        "scores": lines[:, 5].tolist(),
    }


def main(folder):
    with Image.open(os.path.join(folder, "picture.png")) as picture:
        picture.load()
        size = picture.size
    print(json.dumps({
        "size": size,
        "coco": read_coco(os.path.join(folder, "coco.json")),
        "voc": read_voc(os.path.join(folder, "voc.xml")),
        "yolo": read_yolo(os.path.join(folder, "yolo.txt"), size),
    }))


if __name__ == "__main__":
    for path in sys.argv[1:]:
        main(path)
