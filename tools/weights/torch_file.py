"""Reads the tensors in a file of torch.save, without PyTorch and without running code.

A pickle can call any function of any module, so torch.load runs whatever code a file contains unless it has
weights_only, and that of PyTorch 1.13 refuses a file that also holds a float, such as an accuracy. The reader below
builds dictionaries and tensors, and a placeholder for everything else.

Since version 1.6 the file is a zip archive: NAME/data.pkl, and NAME/data/KEY with the bytes of each storage. Before, it
was a sequence of pickles (a magic number, the version, the machine, the object, the keys of the storages) followed by
each storage: 8 bytes for the number of elements, and the elements.
"""

import collections
import pickle
import struct
import zipfile

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
TYPES = {
    "HalfStorage": "<f2",
    "BFloat16Storage": "<u2",  # NumPy has no such type
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "ByteStorage": "<u1",
    "CharStorage": "<i1",
    "ShortStorage": "<i2",
    "IntStorage": "<i4",
    "LongStorage": "<i8",
    "BoolStorage": "?",
}
Storage = collections.namedtuple("Storage", "type key")


class Placeholder:
    """Takes the place of an object of any other class."""

    def __init__(self, *_arguments, **_options):
        pass

    def ignore(self, *_arguments):
        pass

    __setstate__ = __setitem__ = append = extend = ignore


class Tensor:
    """The arguments with which PyTorch rebuilds a tensor."""

    def __init__(self, storage, offset, size, stride, *_):
        self.storage, self.offset, self.size, self.stride = storage, offset, size, stride

    def array(self, data):
        """`data` are the bytes of the storage."""
        elements = np.frombuffer(data, TYPES[self.storage.type])
        last = self.offset + sum((n - 1) * step for n, step in zip(self.size, self.stride))
        if min(self.offset, *self.size, *self.stride, 0) < 0 or (0 not in self.size and last >= len(elements)):
            raise ValueError("a tensor exceeds its storage")
        strides = [step * elements.itemsize for step in self.stride]
        array = np.lib.stride_tricks.as_strided(elements[self.offset :], self.size, strides).copy()
        if self.storage.type == "BFloat16Storage":  # the upper half of a float32
            return (array.astype(np.uint32) << 16).view(np.float32)
        return array


class Reader(pickle.Unpickler):
    KNOWN = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): Tensor,
        ("torch._utils", "_rebuild_parameter"): lambda data, *_: data,
    }

    def find_class(self, module, name):
        return name if module == "torch" and name in TYPES else self.KNOWN.get((module, name), Placeholder)

    def __init__(self, file):
        super().__init__(file, encoding="utf-8")
        self.types = {}  # of the storages, by key

    def persistent_load(self, identity):
        if identity[0] != "storage":
            return Placeholder()
        self.types[identity[2]] = identity[1]
        return Storage(identity[1], identity[2])


def load_old(path):
    with open(path, "rb") as file:
        if Reader(file).load() != MAGIC:
            raise ValueError("a pickle, but not of torch.save")
        for _ in ("version", "machine"):
            Reader(file).load()
        reader = Reader(file)
        loaded, storages = reader.load(), {}
        for key in Reader(file).load():
            (elements,) = struct.unpack("<q", file.read(8))
            storages[key] = file.read(elements * np.dtype(TYPES[reader.types[key]]).itemsize)
    return loaded, storages.__getitem__


def load(path):
    """The saved object, and a function that gives the bytes of a storage by its key. A file that is damaged or of
    another format can cause any exception."""
    if not zipfile.is_zipfile(path):
        return load_old(path)
    archive = zipfile.ZipFile(path)
    pickled = next(name for name in archive.namelist() if name.endswith("data.pkl"))
    with archive.open(pickled) as file:
        return Reader(file).load(), lambda key: archive.read(pickled[: -len(".pkl")] + "/" + key)
