"""Runs an ONNX model with ONNX Runtime on request; a child process of tools/bench_vs_onnx_runtime.py.

Answers each line `run N` on standard input with one JSON line, {"seconds": s, "images": n, "name": text}.
"""

import argparse
import json
import sys
import time

import numpy as np
import onnxruntime


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--way", required=True, help="name of the variant")
    args = parser.parse_args()

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = args.threads
    session = onnxruntime.InferenceSession(args.model, options, providers=["CPUExecutionProvider"])
    (images,) = session.get_inputs()
    batch = np.random.default_rng(1).integers(0, 256, [args.batch, *images.shape[1:]], np.uint8)
    name = f"ONNX Runtime {onnxruntime.__version__} {args.way}"
    for line in sys.stdin:
        steps = int(line.split()[1])
        start = time.perf_counter()
        for _ in range(steps):
            session.run(["logits"], {"images": batch})
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "images": steps * args.batch, "name": name}), flush=True)


if __name__ == "__main__":
    main()
