"""Reads the tensors of safetensors files, NumPy archives and files of torch.save as NumPy arrays by name."""

import zipfile

import numpy as np
import safetensors

from weights import torch_file

# Names under which training scripts put the state dictionary into the dictionary that they save.
WRAPPERS = ("state_dict", "model_state_dict", "model", "net")


class Refused(Exception):
    """A model that cannot be imported; the message says why, one reason per line."""


def from_safetensors(path):
    types = {"BF16": "<u2", "F16": "<f2", "F32": "<f4", "F64": "<f8", "I64": "<i8"}
    with open(path, "rb") as file:
        tensors = safetensors.deserialize(file.read())
    arrays = {}
    for name, tensor in tensors:
        if tensor["dtype"] not in types:
            raise Refused(f"the tensor {name} has the type {tensor['dtype']}, not a floating-point type")
        array = np.frombuffer(tensor["data"], types[tensor["dtype"]])
        if tensor["dtype"] == "BF16":  # the upper half of a float32; NumPy has no such type
            array = (array.astype(np.uint32) << 16).view(np.float32)
        arrays[name] = array.reshape(tensor["shape"])
    return arrays


def from_torch(path):
    try:
        loaded, storage = torch_file.load(path)
        for key in WRAPPERS * 2:
            if isinstance(loaded, dict) and isinstance(loaded.get(key), dict):
                loaded = loaded[key]
        if isinstance(loaded, dict):
            tensors = {name: value for name, value in loaded.items() if isinstance(value, torch_file.Tensor)}
            return {str(name): value.array(storage(value.storage.key)) for name, value in tensors.items()}
    except Exception as error:  # a damaged pickle can cause any
        raise Refused(f"not a file of torch.save, or damaged: {type(error).__name__}: {error}") from None
    raise Refused("it holds no state dictionary; save model.state_dict(), not the model")


def from_numpy(path):
    """None if the file is not a zip archive, or has no arrays."""
    try:
        if not zipfile.is_zipfile(path):
            return None
        with zipfile.ZipFile(path) as archive:
            if not any(name.endswith(".npy") for name in archive.namelist()):
                return None
        with np.load(path, allow_pickle=False) as archive:
            arrays = dict(archive)
    except Exception as error:  # zipfile, zlib and NumPy have no common one
        raise Refused(f"this zip archive is damaged or cannot be read: {type(error).__name__}: {error}") from None
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):  # the bytes of a file of another kind
            raise Refused(f"{name} in this NumPy archive is not an array")
    return arrays


def read(path):
    """The tensors by name; BF16 as float32. Throws Refused, OSError, ValueError or SafetensorError."""
    with open(path, "rb") as file:
        head = file.read(9)
    if head[8:] == b"{":
        return from_safetensors(path)
    arrays = from_numpy(path)
    return from_torch(path) if arrays is None else arrays
