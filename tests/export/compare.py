"""Checks ONNX models and compares their logits, computed by ONNX Runtime, with those of the engine.

    compare.py FOLDER [RECORDS]

FOLDER holds NAME.onnx and NAME.folded.onnx for each NAME.safetensors with the tensor `logits` [count, classes], and
`images` [count, height, width, channels]; without `images` they are the first ones of RECORDS, a file in CIFAR-10's
binary format. An AssertionError names what is wrong.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file

BATCHES = 1, 7
TOLERANCE = 1e-4  # of the largest |logit|


def foldable(graph):
    """The number of batch norms that are the only reader of a convolution's result."""
    readers, makers = {}, {}
    for node in graph.node:
        makers.update(dict.fromkeys(node.output, node.op_type))
        for name in node.input:
            readers[name] = readers.get(name, 0) + 1
    return sum(
        node.op_type == "BatchNormalization" and makers.get(node.input[0]) == "Conv" and readers[node.input[0]] == 1
        for node in graph.node
    )


def count(graph, operation):
    return sum(node.op_type == operation for node in graph.node)


def check_model(path, classes):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version == 8, model.ir_version
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 17)], model.opset_import
    (images,), (logits,) = model.graph.input, model.graph.output
    assert (images.name, logits.name) == ("images", "logits")
    assert images.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    for value in images, logits:
        assert value.type.tensor_type.shape.dim[0].dim_param == "batch", value
    names = json.loads({entry.key: entry.value for entry in model.metadata_props}["class_names"])
    assert len(names) == classes and all(isinstance(name, str) for name in names), names
    return model.graph


def compare(path, images, logits):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    worst = 0
    for batch in BATCHES:
        found = session.run(["logits"], {"images": images[:batch]})[0]
        assert found.shape == (batch, logits.shape[1]) and found.dtype == np.float32, (found.shape, found.dtype)
        worst = max(worst, float(np.abs(found - logits[:batch]).max() / np.abs(logits[:batch]).max()))
    print(f"{path.name}: largest difference {worst:.1e} of the largest |logit|")
    assert worst <= TOLERANCE, f"{path}: differs by {worst} of the largest |logit|"


def records(path, image):
    """The images of CIFAR-10's binary format, [count, height, width, channels]."""
    height, width, channels = image
    flat = np.fromfile(path, np.uint8).reshape(-1, 1 + height * width * channels)[: max(BATCHES), 1:]
    return flat.reshape(-1, channels, height, width).transpose(0, 2, 3, 1)


def main():
    folder = Path(sys.argv[1])
    references = sorted(folder.glob("*.safetensors"))
    assert references, f"{folder} holds no logits"
    for reference in references:
        tensors = load_file(reference)
        logits = tensors["logits"]
        plain, folded = reference.with_suffix(".onnx"), reference.with_suffix(".folded.onnx")
        graph, folded_graph = check_model(plain, logits.shape[1]), check_model(folded, logits.shape[1])
        assert foldable(graph) > 0 and foldable(folded_graph) == 0
        kept = count(graph, "BatchNormalization") - foldable(graph)
        assert count(folded_graph, "BatchNormalization") == kept, folded
        shape = [dim.dim_value for dim in graph.input[0].type.tensor_type.shape.dim[1:]]
        images = tensors["images"] if "images" in tensors else records(sys.argv[2], shape)
        for path in plain, folded:
            compare(path, np.ascontiguousarray(images), logits)


if __name__ == "__main__":
    main()
