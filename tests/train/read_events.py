"""read_events.py FOLDER: TensorBoard's own reader finds in the event files what metrics.jsonl of this run folder says.

read_events.py FOLDER ADDRESS: also what a TensorBoard at ADDRESS, with the folder above FOLDER, serves.
"""
import io
import json
import math
import os
import struct
import sys
import urllib.parse
import urllib.request

import numpy
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

TRAINING = {"loss/train": "train_loss", "loss/train_cross_entropy": "train_cross_entropy",
            "accuracy/train": "train_accuracy", "training/learning_rate": "learning_rate",
            "training/images_per_second": "images_per_second"}
EVALUATION = {"loss/test": "test_loss", "accuracy/test": "test_accuracy"}
NORM = "training/weight_norm"


def float32(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def expected_scalars(folder):
    """{tag: [(step, value)]}"""
    with open(os.path.join(folder, "metrics.jsonl"), encoding="ascii") as file:
        rows = [json.loads(line) for line in file]
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        decay = json.load(file)["optimizer"]["weight_decay"]
    scalars = {tag: [(row["step"], float32(row[key])) for row in rows if key in row]
               for tag, key in {**TRAINING, **EVALUATION}.items()}
    if decay > 0:
        scalars[NORM] = [(row["step"], float32(math.sqrt(2 * (row["train_loss"] - row["train_cross_entropy"]) / decay)))
                         for row in rows if "train_loss" in row]
    return scalars


def require(found, expected, what):
    if found != expected:
        sys.exit(f"{what}:\n    found    {found}\n    expected {expected}")


def check_image(png, accuracy):
    """The darker squares of the diagonal hold the correct images; ten classes with equally many images."""
    pixels = numpy.asarray(Image.open(io.BytesIO(png)))
    require(pixels.shape, (641, 641, 3), "size of the confusion matrix")
    # From white (255) to dark (8): the share is the square of the depth. Here are neither digits nor frames.
    depth = (255 - pixels[6::64, 6::64, 0].astype(float)) / (255 - 8)
    shares = depth**2
    if abs(shares.sum(axis=1) - 1).max() > 0.05 or abs(numpy.diag(shares).mean() - accuracy) > 0.02:
        sys.exit(f"confusion matrix: accuracy {accuracy}, but the image has {shares}")


def check_files(folder):
    events = EventAccumulator(folder, size_guidance={"scalars": 0, "images": 0, "tensors": 0})
    events.Reload()
    expected = expected_scalars(folder)
    require(set(events.Tags()["scalars"]), set(expected), "tags")
    for tag, values in expected.items():
        require([(event.step, event.value) for event in events.Scalars(tag)], values, tag)
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        config = file.read().rstrip("\n")
    text = events.Tensors("config")[-1].tensor_proto.string_val[0].decode()
    require(text.strip("`\n"), config, "configuration")
    last = expected["accuracy/test"][-1]
    # A run that was extended may also have that of its earlier end: neither this reader nor the server drops it.
    image = events.Tensors("confusion_matrix")[-1]
    require(image.step, last[0], "step of the confusion matrix")
    width, height, png = image.tensor_proto.string_val
    require((width, height), (b"641", b"641"), "size of the confusion matrix")
    check_image(png, last[1])


def check_page(folder, address):
    run = os.path.basename(folder)

    def get(path, **query):
        with urllib.request.urlopen(f"{address}/data/plugin/{path}?{urllib.parse.urlencode(query)}", timeout=10) as page:
            return page.read()

    expected = expected_scalars(folder)
    for tag, values in expected.items():
        found = json.loads(get("scalars/scalars", run=run, tag=tag))
        require([(step, float32(value)) for _, step, value in found], values, f"{tag} on the page")
    texts = json.loads(get("text/text", run=run, tag="config"))
    if "weight_decay" not in texts[-1]["text"]:
        sys.exit(f"configuration on the page: {texts}")
    description = json.loads(get("images/tags"))[run]["confusion_matrix"]["description"]
    if "airplane, automobile, bird" not in description:
        sys.exit(f"description of the confusion matrix: {description}")
    images = json.loads(get("images/images", run=run, tag="confusion_matrix", sample=0))
    last = expected["accuracy/test"][-1]
    require(images[-1]["step"], last[0], "step of the confusion matrix on the page")
    with urllib.request.urlopen(f"{address}/data/plugin/images/individualImage?{images[-1]['query']}", timeout=10) as page:
        check_image(page.read(), last[1])


check_files(sys.argv[1])
if len(sys.argv) > 2:
    check_page(*sys.argv[1:])
