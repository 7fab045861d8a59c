"""Reads a checkpoint independently of the engine and verifies the checksums that engine/io/checkpoint_info.h describes.
Called with files, fails if one of them is damaged."""
import json
import struct
import sys
import zlib


def read(path):
    """Returns metadata and {name: bytes of the tensor}. ValueError if the file is damaged."""
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    data = content[8 + length:]
    metadata = header.pop("__metadata__")
    tensors, end = {}, 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        first, last = entry["data_offsets"]
        if first != end:
            raise ValueError(f"{path}: {name} begins at {first}, not at {end}")
        end = last
        tensors[name] = data[first:last]
    if end != len(data):
        raise ValueError(f"{path}: {len(data)} bytes of tensors, {end} described")

    checksums = json.loads(metadata["checksums"])
    found = {name: f"{zlib.crc32(tensor):08x}" for name, tensor in tensors.items()}
    if checksums != found:
        raise ValueError(f"{path}: checksums {checksums}, found {found}")
    lines = b"".join(f"{key}\0{value}\0".encode() for key, value in sorted(metadata.items()) if key != "checksum")
    if metadata["checksum"] != f"{zlib.crc32(lines):08x}":
        raise ValueError(f"{path}: the checksum of the metadata is wrong")
    return metadata, tensors


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        read(argument)
