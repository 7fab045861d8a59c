"""Writes safetensors files. A tensor is a numpy array, or a Bfloat16 to store it as BF16."""

import json

import numpy as np

TYPES = {"float32": "F32", "float64": "F64", "int64": "I64", "uint16": "BF16"}


def round_to_bfloat16(values):
    """Rounds float32 values to the nearest bfloat16, ties to even. The values must be finite."""
    bits = np.ascontiguousarray(values, dtype="<f4").view("<u4")
    rounded = bits + 0x7FFF + ((bits >> 16) & 1)
    return (rounded & 0xFFFF0000).astype("<u4").view("<f4")


class Bfloat16:
    """An array to be stored as BF16; rounds its values."""

    def __init__(self, values):
        self.values = (round_to_bfloat16(values).view("<u4") >> 16).astype("<u2")


def write_safetensors(path, tensors, metadata):
    """`tensors` maps names to arrays, `metadata` names to text. Larger element types come first, for alignment."""
    arrays = {name: tensor.values if isinstance(tensor, Bfloat16) else tensor for name, tensor in tensors.items()}
    header, offset, chunks = {"__metadata__": metadata}, 0, []
    for name in sorted(arrays, key=lambda name: (-arrays[name].itemsize, name)):
        array = np.ascontiguousarray(arrays[name])
        data = array.astype(array.dtype.newbyteorder("<")).tobytes()
        header[name] = {
            "dtype": TYPES[array.dtype.name],
            "shape": list(arrays[name].shape),
            "data_offsets": [offset, offset + len(data)],
        }
        offset += len(data)
        chunks.append(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + b"".join(chunks))
