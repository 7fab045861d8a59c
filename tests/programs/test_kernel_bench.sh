#!/usr/bin/env bash
# kernel-bench: its table, its JSON and its errors. Times are not checked.
#     test_kernel_bench.sh FOLDER_OF_PROGRAMS
set -euo pipefail
bin=$1
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"
cd "$repository"

bench() { run "$bin/kernel-bench" --device cpu "$@"; }
# Few images and minimal timing: checks every result quickly.
quick() { bench --batch 4 --seconds 0 "$@"; }
narrow() { [ "$(awk '{ if (length($0) > longest) longest = length($0) } END { print longest }' "$scratch/table")" -le 100 ]; }
lines_with() { grep -c -- "$1" "$scratch/output" || true; }
equal() { [ "$1" = "$2" ]; }

# ---- every family is right on the CPU
quick --json "$scratch/all.json"
expect "all cases succeed" exits_with 0
expect "none is wrong" says "0 wrong or failed"
expect "the copy bandwidth is measured" says "GB/s, read and written"
expect "the peak is measured" says "GFLOP/s, float32 multiply-adds on registers"
expect "GPU cases are skipped with the reason" says "fused kernels are for GPUs"
grep -v '^skipped:' "$scratch/output" >"$scratch/table"
expect "the table fits in 100 columns" narrow
expect "the output has no colours" equal "$(lines_with $'\033')" 0

# json EXPRESSION: whether it is true for the document d and its cases.
json() {
    /usr/bin/python3 - "$scratch/all.json" "$1" <<'PYTHON'
import json, sys
d = json.load(open(sys.argv[1]))
sys.exit(0 if eval(sys.argv[2], {"d": d, "cases": d["cases"]}) else 1)
PYTHON
}
expect "every measured case has times and a small error" json \
    'len(cases) > 80 and all(c["cold_us"] > 0 and c["warm_us"] > 0 and 0 <= c["error"] <= 1e-3 for c in cases)'
expect "a rate is bytes over the cold time" json \
    'all(abs(c["gb_per_s"] - c["bytes"] / c["cold_us"] / 1e3) <= 1e-6 * c["gb_per_s"] for c in cases)'
expect "its share is relative to the copy bandwidth in the document" json \
    'all(abs(c["of_copy"] * d["copy_gb_per_s"] - c["gb_per_s"]) <= 1e-6 * c["gb_per_s"] for c in cases)'
expect "the FLOPs of a 3x3 convolution, 4 images, 64 to 64 channels, 8x8" json \
    'next(c for c in cases if c["name"] == "conv2d/64x8x8/4/f32/composed")["flops"] == 2 * 4 * 64 * 64 * 9 * 64'
expect "the bytes of an addition: two operands read, one written" json \
    'next(c for c in cases if c["name"] == "add/64x8x8/4/f32/composed")["bytes"] == 3 * 4 * 64 * 64 * 4'
expect "machine, device, date and command are recorded" json \
    '"processor" in d["machine"] and d["device"].startswith("CPU") and d["date"].endswith("Z") and "--batch 4" in d["command"]'
expect "skipped cases have their reasons" json 'len(d["skipped"]) > 0 and all(s["reason"] for s in d["skipped"])'

# ---- filters
quick --filter '^bn_relu_conv/.*pool'
expect "a filter works" exits_with 0
expect "it selects both narrowing units" equal "$(lines_with '^bn_relu_conv .*composed')" 2
expect "and nothing else" says "2 cases measured"
bench --list --batch 7 --filter 'sgd|relu/16'
expect "--list prints only the names" equal "$(sort "$scratch/output" | tr '\n' ' ')" \
    "relu/16x32x32/7/f32/composed sgd/ResNet-110/-/f32/composed sgd/ResNet-20/-/f32/composed sgd/ResNet-56/-/f32/composed "

quick --filter '^relu/' --after relu/16x32x32/4/f32/composed --list
expect "--after selects the later cases" equal "$(tr '\n' ' ' <"$scratch/output")" \
    "relu/32x16x16/4/f32/composed relu/64x8x8/4/f32/composed "

# ---- an error that makes the GPU unusable in this process, which only the emulator can imitate
if grep -q EMULATOR_FAILURES "$bin/kernel-bench"; then
    run env EMULATOR_FAILURES=cudaGraphInstantiate=700 \
        "$bin/kernel-bench" --device cuda --batch 1 --seconds 0 --filter '^add/' --json "$scratch/all.json"
    expect "a lost device: exit 1" exits_with 1
    expect "the case in which it was lost has failed" equal "$(lines_with '^add .* FAILED')" 1
    expect "the message says how to run the others" says "2 cases were not run; run them with --after add/16x32x32/1/bf16/composed"
    expect "the results are kept" json 'd["device_lost_in"] == cases[-1]["name"] and "cudaErrorIllegalAddress" in cases[-1]["failed"]'
    run "$bin/kernel-bench" --device cuda --batch 1 --seconds 0 --filter '^add/' --after add/16x32x32/1/bf16/composed
    expect "the others run in another process" says "2 cases measured, 0 wrong or failed"
else
    printf 'skipped: a lost device: only the emulator can simulate it\n'
fi

# ---- CUDA: a GPU, or the emulator, which is slow: hence one image
if run "$bin/kernel-bench" --device cuda --list && exits_with 0; then
    run "$bin/kernel-bench" --device cuda --batch 1 --seconds 0 --filter '^(add|bn_relu_conv|bn_relu_conv_dx|classifier)/64x8x8(/|\+x)'
    expect "the CUDA kernels are right" exits_with 0
    expect "composed and fused side by side" equal "$(lines_with '^bn_relu_conv.* fused')" 4
    expect "no CUDA kernel is wrong" says "0 wrong or failed"
else
    expect "a missing GPU is refused" exits_with 2
    expect "with the reason" says "CUDA"
fi

# ---- wrong usage
refused() {
    local what=$1 message=$2
    shift 2
    run "$bin/kernel-bench" "$@"
    expect "$what: exit 2" exits_with 2
    expect "$what: the message" says "$message"
}
refused "a filter that matches nothing" "--filter no-such-case" --device cpu --filter no-such-case
refused "a filter that is not a regular expression" "--filter (" --device cpu --filter '('
refused "an unknown case" "--after add/1" --device cpu --after add/1
refused "an unknown device" "tpu" --device tpu
refused "an empty batch" "--batch" --batch 0
refused "an unknown option" "--bogus" --bogus
refused "a missing folder" "$scratch/nowhere/x.json" --device cpu --json "$scratch/nowhere/x.json"
expect "no half-written file is left" equal "$(find "$scratch" -name '*.tmp-*' | wc -l)" 0

report
