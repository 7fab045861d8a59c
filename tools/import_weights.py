#!/usr/bin/env python3
"""Converts the weights of a CIFAR ResNet of PyTorch for `resnet-eval --config` and `resnet-train --init`.

    import_weights.py MODEL OUT.safetensors --inputs imagenet|cifar10
    import_weights.py MODEL OUT.safetensors --mean R,G,B --std R,G,B

MODEL holds a state dictionary: a file of torch.save (.pth, .pt, .th), safetensors or .npz. Writes OUT.safetensors and
the network's configuration, OUT.json; neither may exist. Depth, width, block and projections are recognised by names
and shapes. The normalisation of the inputs, (x / 255 - mean) / std per channel, becomes part of the first convolution
and of data.mean. other-weights.md lists the networks and names. Needs the packages numpy and safetensors, not PyTorch.
Exit code 1: OUT cannot be written, or a package is missing; 2: MODEL or an argument is wrong.
"""

import argparse
import json
import math
import os
import sys

sys.dont_write_bytecode = True  # the folder may belong to a package of the system
try:
    import numpy as np
    from safetensors import SafetensorError
    from safetensors.numpy import save

    from weights.files import Refused, read
    from weights.networks import Model, check_tensors, recognise, shapes_of, title
except ModuleNotFoundError as missing:
    sys.exit(
        f"import_weights.py: {missing}; install numpy and safetensors, for example with `python3 -m venv ENV && "
        "ENV/bin/pip install numpy safetensors`, and run it with ENV/bin/python"
    )

# Mean and standard deviation of images between 0 and 1.
INPUTS = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
}


def single(value, name):
    """As float32, in which all values must be finite."""
    if not np.issubdtype(value.dtype, np.floating):
        raise Refused(f"{name} has the type {value.dtype}, not a floating-point type")
    with np.errstate(over="ignore"):
        rounded = value.astype(np.float32)
    bad = np.flatnonzero(~np.isfinite(rounded))
    if bad.size:
        raise Refused(f"{name} holds {value.flat[bad[0]]} at element {bad[0]}, but must be finite in float32")
    return rounded


def converted(model, mean, std):
    """(x / 255 - mean) / std = (x - 255 mean) / (255 std), and zero padding follows both subtractions."""
    tensors = {name: single(value, model.names[name]) for name, value in model.tensors.items()}
    scaled = tensors["stem.weight"] / (255 * np.array(std, np.float64).reshape(1, 3, 1, 1))
    tensors["stem.weight"] = single(scaled, model.names["stem.weight"])
    pixel = 255 * np.array(mean, np.float64).reshape(3, 1, 1)
    tensors["data.mean"] = np.ascontiguousarray(np.broadcast_to(pixel, (3, 32, 32)), np.float32)
    return tensors


def write(path, data):
    """Writes a file completely or not at all."""
    partial = path + ".partial"
    try:
        with open(partial, "wb") as file:
            file.write(data)
        os.replace(partial, path)
    except OSError as error:
        if os.path.exists(partial):
            os.remove(partial)
        raise OSError(error.errno, error.strerror, path) from None


def write_all(files):
    """Writes all files, a dictionary from path to bytes, or none."""
    written = []
    try:
        for path, data in files.items():
            write(path, data)
            written.append(path)
    except OSError:
        for path in written:
            os.remove(path)
        raise


def colours(text):
    values = tuple(map(float, text.split(",")))
    if len(values) != 3 or not all(map(math.isfinite, values)):
        raise ValueError
    return values


def fraction(text):
    if not 0 < float(text) < 1:
        raise ValueError
    return float(text)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("out", metavar="OUT.safetensors")
    parser.add_argument("--inputs", choices=INPUTS, help="mean and standard deviation of ImageNet or CIFAR-10")
    parser.add_argument("--mean", type=colours, metavar="R,G,B", help="subtracted from images between 0 and 1")
    parser.add_argument("--std", type=colours, metavar="R,G,B", help="by which they are then divided")
    parser.add_argument(
        "--shortcut",
        choices=("subsample_zeropad", "avgpool_zeropad", "none"),
        help="kind of the shortcuts without weights, which a file of weights does not show",
    )
    parser.add_argument("--epsilon", type=fraction, default=1e-5, help="of batch norm; default %(default)s")
    parser.add_argument(
        "--decay", type=fraction, default=0.9, help="of batch norm: 1 - momentum of PyTorch; default %(default)s"
    )
    options = parser.parse_args()
    if not options.out.endswith(".safetensors"):
        parser.error(f"{options.out}: the name must end in .safetensors")
    if options.inputs and not options.mean and not options.std:
        options.mean, options.std = INPUTS[options.inputs]
    elif options.inputs or not options.mean or not options.std:
        parser.error(
            "give --inputs, or --mean and --std: a file of weights does not show how its inputs were normalised "
            "(--mean 0,0,0 --std 1,1,1 if they were only divided by 255)"
        )
    if min(options.std) <= 0:
        parser.error("argument --std: must be positive")
    options.config = options.out.removesuffix("safetensors") + "json"
    for path in (options.out, options.config):
        if os.path.lexists(path):
            parser.error(f"{path} exists already; remove it or choose another name")
    return options


def main():
    options = arguments()
    try:
        model = Model(read(options.model))
        config = recognise(model, options.shortcut)
        classes = model.channels("head.weight")
        check_tensors(model, shapes_of(config, classes))
        if classes not in (10, 100):
            raise Refused(f"{classes} classes; data sets here have 10 or 100")
        tensors = converted(model, options.mean, options.std)
    except (Refused, SafetensorError, OSError, ValueError) as error:
        reasons = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        print(f"import_weights.py: {options.model}:", "\n    ".join(reasons.splitlines()), file=sys.stderr)
        return 2
    config["batch_norm"] = {"epsilon": options.epsilon, "decay": options.decay}
    experiment = {"model": config, "data": {"format": f"cifar{classes}"}}
    try:
        write_all({options.out: save(tensors), options.config: (json.dumps(experiment, indent=2) + "\n").encode()})
    except OSError as error:
        print(f"import_weights.py: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"{options.model}: {title(config)}, {classes} classes; wrote {options.out} and {options.config}")
    if config.get("shortcut", "").endswith("zeropad") and not options.shortcut:
        print(f"its shortcuts have no weights and are taken as {config['shortcut']}; --shortcut gives another kind")
    return 0


if __name__ == "__main__":
    sys.exit(main())
