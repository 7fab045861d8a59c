#!/usr/bin/env bash
# tools/prove_gpu.sh in a staged folder of fake programs: the order of the stages, interruptions, failing stages, and the
# report.
# shellcheck disable=SC2016  # the bodies of the fake programs are expanded when they run
set -euo pipefail
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

bin=${1:?the folder of the programs}
kit=$scratch/kit
mkdir -p "$kit/tools/bench/compare" "$kit/bin" "$scratch/python/torch"
cp -r "$repository/tools/lib.sh" "$repository/tools/cifar.sh" "$repository/tools/prove_gpu.sh" "$repository/tools/prove" "$kit/tools/"
cp -r "$repository/configs" "$kit/"
echo '{}' >"$kit/staged.json"
data=$scratch/cifar10
mkdir "$data"
for name in data_batch_{1..5} test_batch; do truncate -s 30730000 "$data/$name.bin"; done

# ---- fake programs; each logs its call in $scratch/calls, and files in $scratch/knobs change its behaviour ----

mkdir "$scratch/knobs"
programs=$scratch/programs
note='echo "${0##*/} $*" >>"$SCRATCH/calls"; knob() { [ -e "$SCRATCH/knobs/$1" ]; }'
fake_program "$programs" nvidia-smi "$note"'
case "$*" in
    -L)
        if knob no-driver; then echo "NVIDIA-SMI has failed"; exit 9; fi
        if knob other-gpu; then echo "GPU 0: Fake GPU (UUID: GPU-0-other)"; else echo "GPU 0: Fake GPU (UUID: GPU-0)"; fi
        if knob mig; then echo "  MIG 1g.10gb     Device  0: (UUID: MIG-0-0)
  MIG 2g.20gb     Device  1: (UUID: MIG-0-1)"; fi
        echo "GPU 1: Second GPU (UUID: GPU-1)" ;;
    *"-i GPU-1") echo "Second GPU, 1.2, 9 MiB, 9.0, [N/A], Default" ;;
    --query-gpu=*)
        mig=Disabled mode=Default
        if knob mig || knob mig-empty; then mig=Enabled; fi
        if knob exclusive; then mode=Exclusive_Process; fi
        echo "Fake GPU, 1.2, 9 MiB, 9.0, $mig, $mode" ;;
    *) echo "a table" ;;
esac'
fake_program "$programs" compute-sanitizer "$note"'
case "$*" in
    *racecheck*) echo "========= Error: Device not supported. Please refer to the documentation
========= ERROR SUMMARY: 1 error"; exit 9 ;;
    *initcheck*) knob uninitialised && { echo "========= ERROR SUMMARY: 3 errors"; exit 9; } ;;
esac
echo "========= ERROR SUMMARY: 0 errors"'
for name in tests-kernels tests-nn tests-golden; do
    fake_program "$kit/bin" "$name" "$note"'
if [ "$1" = --list-tests ]; then echo "2 matching test cases"; exit 2; fi
good=true
if [ "${0##*/}" = tests-nn ]; then
    if knob crash; then echo "Segmentation fault"; exit 139; fi
    if knob wrong; then good=false; fi
    if knob no-gpu-seen; then echo "skipped: no GPU (why)"; fi
fi
echo "<Catch><TestCase name=\"a\"><OverallResult success=\"true\"/></TestCase>
<TestCase name=\"the other case\"><OverallResult success=\"$good\"/></TestCase></Catch>" >"${!#}"
$good'
done
fake_program "$kit/bin" tests-io 'echo "0 matching test cases"'
fake_program "$kit/bin" kernel-bench "$note; "'
echo "kernel-bench on $CUDA_VISIBLE_DEVICES" >>"$SCRATCH/calls"
if knob lost-device && [ "$5" != --after ]; then
    echo "{\"copy_gb_per_s\": 4000, \"matrix_gflop_per_s\": {\"bf16, 8192 cubed\": null}, \"skipped\": [], \"device_lost_in\": \"relu/x\",
\"cases\": [{\"name\": \"relu/x\", \"case\": \"relu\", \"shape\": \"32x32x16\", \"batch\": $4, \"dtype\": \"bf16\", \"kernel\": \"fused\", \"failed\": \"illegal address\"}]}" >"${!#}"
    exit 1
fi
right="\"cold_us\": 7.5, \"warm_us\": 5, \"gb_per_s\": 2000, \"of_copy\": 0.5, \"of_matrix\": null, \"error\": 0.001"
if knob wrong-kernel; then right="\"error\": 0.7, \"wrong\": \"dx\""; fi
echo "{\"copy_gb_per_s\": 4000, \"matrix_gflop_per_s\": {\"bf16, 8192 cubed\": 700000}, \"skipped\": [], \"cases\": [
{\"name\": \"add/x\", \"case\": \"add\", \"shape\": \"32x32x16\", \"batch\": $4, \"dtype\": \"bf16\", \"kernel\": \"fused\", $right}]}" >"${!#}"
! knob wrong-kernel'
fake_program "$kit/bin" step-bench "$note"
fake_program "$kit/bin" draw-images "$note"'; mkdir -p "$1"; touch "$1/test_batch.bin"'
# Writes the configuration and two rows of a run of 64,000 steps.
fake_program "$kit/bin" resnet-train "$note"'
out="" seed=0
while [ $# -gt 0 ]; do case $1 in --out) out=$2 ;; train.seed=*) seed=${1#*=} ;; esac; shift; done
[ ! -e "$out" ] || { echo "the folder already holds a run"; exit 2; }
mkdir -p "$out"
echo "{\"train\": {\"batch_size\": 128, \"steps\": 64000}}" >"$out/config.json"
if knob slow; then touch "$SCRATCH/knobs/training"; exec sleep 60; fi
echo "{\"step\": 64000, \"images_per_second\": 1024000}
{\"step\": 64000, \"test_loss\": 0.4, \"test_accuracy\": 0.91$seed}" >"$out/metrics.jsonl"'
cat >"$kit/tools/bench_vs_pytorch.py" <<'END'
import json, os, sys
words = sys.argv
open(os.environ["SCRATCH"] + "/calls", "a").write("bench on " + os.environ["CUDA_VISIBLE_DEVICES"] + "\n")
network, file = words[words.index("--networks") + 1], words[words.index("--json") + 1]
open(os.environ["SCRATCH"] + "/calls", "a").write("bench " + " ".join(words[1:]) + "\n")
def row(way, ms, engine, **more):
    return dict(network=network, side=way, way=way, engine=engine, ms_per_step=ms, median=128000 / ms,
                min=100000 / ms, max=140000 / ms, **more)
fast = {"resnet20": 0.25, "resnet56": 0.9, "resnet110": 1.5}[network]
ratios = {"eager": 20.0, "bf16": 9.0, "graph": 2.0, "compile": 4.0, "compile-graph": 2.9 if network == "resnet56" else 3.1}
if "--engine-only" in words:
    rows = [row("composed, captured", 2 * fast, True), row("fused, captured", fast, True)]
else:
    rows = [row(words[words.index("--engine-ways") + 1], fast, True)]
    ways = words[words.index("--ways") + 1:]
    rows += [row(way, ratio * fast, False, engine_ratio=ratio) for way, ratio in ratios.items() if way in ways]
json.dump({"rows": rows}, open(file, "w"))
END
cat >"$kit/tools/bench/compare/torch_train.py" <<'END'
import json, os, sys
words = sys.argv
out, seed = words[words.index("--out") + 1], words[words.index("--seed") + 1]
open(os.environ["SCRATCH"] + "/calls", "a").write("torch_train " + " ".join(words[1:]) + "\n")
rows = [{"step": 64000, "images_per_second": 512000}, {"step": 64000, "test_accuracy": float("0.90" + seed)}]
open(out + "/metrics.jsonl", "w").write("".join(json.dumps(row) + "\n" for row in rows))
END
cat >"$scratch/python/torch/__init__.py" <<'END'
import types
__version__ = "9.9"
version = types.SimpleNamespace(cuda="99.0")
cuda = types.SimpleNamespace(is_available=lambda: True)
backends = types.SimpleNamespace(cudnn=types.SimpleNamespace(version=lambda: 99000))
END

prove() {
    run env PATH="$programs:$PATH" PYTHONPATH="$scratch/python" SCRATCH="$scratch" HOME="$scratch" XDG_CACHE_HOME= \
        CIFAR10_DIR= LD_LIBRARY_PATH= CUDA_HOME= ${visible+CUDA_VISIBLE_DEVICES="$visible"} bash "$kit/tools/prove_gpu.sh" --out "$scratch/out" "$@"
}
called() { grep -qF -- "$1" "$scratch/calls"; }
calls_of() { grep -cF -- "$1" "$scratch/calls" || true; }
tells() { grep -qF -- "$1" "$scratch/out/results.md"; }
# of STAGE KEY: a value of the stage's JSON file.
of() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$scratch/out/$1.json" "$2"; }
afresh() {
    rm -rf "$scratch/out" "$scratch/knobs" "$scratch/calls"
    mkdir "$scratch/knobs"
    touch "$scratch/calls"
}

# ---- wrong usage, and machines that lack something ----

afresh
prove --minutes soon
expect "--minutes that is no number: exit 2" exits_with 2
prove --data "$scratch/nowhere"
expect "--data without CIFAR-10: exit 2" exits_with 2
prove --frobnicate
expect "an unknown argument: exit 2" exits_with 2
prove --only 'nothing-*'
expect "--only without a match: exit 2" exits_with 2
expect "--only without a match: the stages are listed" says "kernel-bench-128, step-resnet20"
touch "$scratch/knobs/no-driver"
prove
expect "a broken driver: exit 2" exits_with 2
expect "a broken driver: its message is printed" says "nvidia-smi says: NVIDIA-SMI has failed"
rm "$scratch/knobs/no-driver"
mkdir "$scratch/bare"
for name in bash dirname awk stat; do ln -s "$(command -v "$name")" "$scratch/bare/$name"; done
ln -s "$(python3 -c 'import sys; print(sys.executable)')" "$scratch/bare/python3"
run env -i PATH="$scratch/bare" HOME="$scratch" bash "$kit/tools/prove_gpu.sh" --out "$scratch/out"
expect "without a driver: exit 2" exits_with 2
expect "without a driver: the remedy is printed" says "nvidia-smi is not on PATH; run this on a machine with an NVIDIA driver"
expect "without a driver: no output folder is made" absent "$scratch/out"
fake_program "$scratch/loader" ldd 'echo "	libcudart.so.77 => not found"'
run env PATH="$scratch/loader:$programs:$PATH" SCRATCH="$scratch" HOME="$scratch" bash "$kit/tools/prove_gpu.sh" --out "$scratch/out"
expect "a missing library: exit 2" exits_with 2
expect "a missing library: it is named" says "does not find libcudart.so.77"
expect "a missing library: the remedy is printed" says "nvidia-cudnn-cu77"

# ---- libraries in wheels and CUDA toolkits: this fake ldd searches only LD_LIBRARY_PATH ----

afresh
mkdir -p "$scratch/python/nvidia/cu13/lib" "$scratch/toolkit/lib64"
touch "$scratch/python/nvidia/cu13/lib/libcudnn.so.99" "$scratch/toolkit/lib64/libcudart.so.99"
fake_program "$scratch/loader" ldd 'IFS=:
for name in libcudart.so.99 libcudnn.so.99; do
    found="not found"
    for folder in $LD_LIBRARY_PATH; do [ -e "$folder/$name" ] && found=$folder/$name; done
    echo "	$name => $found"
done'
run env PATH="$scratch/loader:$programs:$PATH" PYTHONPATH="$scratch/python" SCRATCH="$scratch" CUDA_HOME="$scratch/toolkit" \
    HOME="$scratch" LD_LIBRARY_PATH= bash "$kit/tools/prove_gpu.sh" --out "$scratch/out" --only tests
expect "libraries are found in a CUDA toolkit and in wheels" \
    tells "LD_LIBRARY_PATH=$scratch/toolkit/lib64:$scratch/python/nvidia/cu13/lib"

# ---- a whole proof ----

afresh
prove --data "$data"
expect "a proof without failures: exit 0" exits_with 0
expect "LD_LIBRARY_PATH is not set if no library is missing" silent_about LD_LIBRARY_PATH
expect "the report names the GPU" tells "| GPU | Fake GPU |"
expect "the report has its UUID" tells "| UUID (in CUDA_VISIBLE_DEVICES) | GPU-0 |"
expect "the engine uses this GPU" called "kernel-bench on GPU-0"
expect "so do the comparisons" called "bench on GPU-0"
expect "variants alternate" [ "$(calls_of --one-at-a-time)" = 0 ]
expect "the report has PyTorch's version" tells "| PyTorch | 9.9 |"
expect "programs without [gpu] tests do not run" [ "$(calls_of "tests-io [gpu]")" = 0 ]
expect "the golden tensors are a separate stage" [ "$(calls_of "tests-golden [gpu]")" = 1 ]
expect "the report has the stage of tests" tells "| tests | [gpu] tests | passed |"
expect "a sanitizer that refuses the device is skipped" [ "$(of racecheck state)" = skipped ]
expect "the sanitizer's message is in the report" tells "Device not supported. Please refer to the documentation"
expect "a target that is met" tells "| ResNet-20, ms per step | 0.30 | 0.250 (fused, captured) | met |"
expect "a target that is missed" tells "| ResNet-56, ms per step | 0.80 | 0.900 (fused, captured) | missed |"
expect "torch.compile's ratio is against its faster variant" tells "| ResNet-56, speed relative to torch.compile's best | 3 | 2.90 | missed |"
expect "PyTorch is interleaved with the engine's fastest variant" called "--engine-ways fused, captured --ways eager bf16 graph"
expect "every side has a row" tells "| step-resnet20-torch | graph | 0.500 |"
expect "a target of a ratio to eager PyTorch" tells "| ResNet-110, speed relative to eager PyTorch | 10 | 20.00 | met |"
expect "the accuracies are means of five seeds" tells "| 0.4 at most | 91.20 % against 90.20 % | missed |"
expect "runs use the fastest kernels" called "configs/resnet20.json --data $data --out $scratch/out/runs/resnet20-3 --device cuda --set train.seed=3 --set train.precision=bf16 --set train.kernels=fused"
expect "plain networks train too" [ "$(of train-plain56-0 state)" = passed ]
expect "PyTorch trains with the configuration of the engine's run" called "torch_train $scratch/out/runs/resnet20-0/config.json --data $data"
expect "every kernel has a row" tells "| add | 32x32x16 | 512 | bf16 | fused | 7.50 | 5.00 | 2000 | 50 % |  | 1.0e-03 |"
expect "the report has the machine's peak rates" tells "kernel-bench-512: copy 4000 GB/s; 700.0 TFLOP/s (bf16, 8192 cubed)"
expect "commands are recorded" tells "$kit/bin/tests-kernels '[gpu]'"
before=$(wc -l <"$scratch/calls")
prove --data "$data"
expect "a second call: exit 0" exits_with 0
expect "a second call repeats no stage" [ "$(grep -c . "$scratch/calls")" -le $((before + 3)) ]
touch "$scratch/knobs/other-gpu"
prove --data "$data"
expect "results of another GPU: exit 2" exits_with 2
expect "results of another GPU: the message names both" says "holds results of Fake GPU (GPU-0) with programs"
expect "results of another GPU: the UUID decides, not the name" says "this is Fake GPU (GPU-0-other) with programs"

# ---- several GPUs, MIG, exclusive-process mode ----

for choice in 1:GPU-1 GPU-1:GPU-1 0,1:GPU-0; do
    afresh
    visible=${choice%:*}
    prove --only kernel-bench-128
    expect "CUDA_VISIBLE_DEVICES=$visible chooses the GPU" called "kernel-bench on ${choice#*:}"
done
visible=7
prove --only kernel-bench-128
expect "CUDA_VISIBLE_DEVICES without a GPU: exit 2" exits_with 2
expect "CUDA_VISIBLE_DEVICES without a GPU: its value and the GPUs" says "CUDA_VISIBLE_DEVICES is '7', which names no GPU of nvidia-smi -L: GPU-0, GPU-1"
for choice in "" 0 MIG-0-1; do
    afresh
    touch "$scratch/knobs/mig"
    visible=$choice
    [ -n "$choice" ] || unset visible
    prove --only kernel-bench-128
    number=$([ "$choice" = MIG-0-1 ] && echo 1 || echo 0)
    expect "MIG mode, CUDA_VISIBLE_DEVICES='$choice': a MIG device is used" called "kernel-bench on MIG-0-$number"
    expect "MIG mode, CUDA_VISIBLE_DEVICES='$choice': the report names it" tells "| MIG | MIG $((number + 1))g.$((number + 1))0gb Device $number |"
    expect "MIG mode, CUDA_VISIBLE_DEVICES='$choice': the report says what that means" tells "a part of the GPU"
done
unset visible
afresh
touch "$scratch/knobs/mig-empty"
prove
expect "MIG mode without a MIG device: exit 2" exits_with 2
expect "MIG mode without a MIG device: the remedy" says "nvidia-smi mig -cgi PROFILE -C"
afresh
touch "$scratch/knobs/exclusive"
prove --only '*-resnet20*'
expect "exclusive-process mode: variants run one after another" [ "$(calls_of --one-at-a-time)" = "$(calls_of "--networks resnet20")" ]
expect "exclusive-process mode: the report says so" tells "the variants ran one after another, not alternating"

# ---- without a C compiler ----

afresh
for name in ldd mkdir touch; do ln -s "$(command -v "$name")" "$scratch/bare/$name"; done
run env PATH="$programs:$scratch/bare" PYTHONPATH="$scratch/python" SCRATCH="$scratch" HOME="$scratch" CC= \
    bash "$kit/tools/prove_gpu.sh" --out "$scratch/out" --only 'step-resnet20*'
expect "without a C compiler nothing fails" exits_with 3
expect "torch.compile is skipped with the reason" tells "| skipped | 0 | torch.compile needs a C compiler; there is none on PATH |"
expect "the other variants of PyTorch are measured" tells "| ResNet-20, speed relative to eager PyTorch | 10 | 20.00 |"

# ---- a failing stage ----

afresh
touch "$scratch/knobs/wrong" "$scratch/knobs/uninitialised" "$scratch/knobs/wrong-kernel"
prove --data "$data"
expect "a failing stage: exit 1" exits_with 1
expect "a failing stage: the test case is named" tells "1 of 4 cases or programs failed: tests-nn: the other case"
expect "a failing sanitizer: its summary is in the report" tells "ERROR SUMMARY: 3 errors"
expect "a wrong kernel has its error but no time" tells "| fused | wrong: dx |  |  |  |  | 7.0e-01 |"
expect "targets do not count if the tests failed" tells "| 0.250 (fused, captured) | does not count: failed tests |"
expect "later stages run after a failure" [ "$(of torch-resnet20-4 state)" = passed ]
afresh
touch "$scratch/knobs/lost-device"
prove --only 'kernel-bench-128'
expect "a case that makes the GPU unusable fails the stage" exits_with 1
expect "the other cases run in another process" called "kernel-bench --device cuda --batch 128 --after relu/x"
expect "the failed case is in the report" tells "| relu | 32x32x16 | 128 | bf16 | fused | illegal address |"
expect "the other cases are in the report" tells "| add | 32x32x16 | 128 | bf16 | fused | 7.50 | 5.00 |"
expect "a peak that could not be measured is in the report" tells "copy 4000 GB/s; not measured (bf16, 8192 cubed)"
for fault in "crash:exited with status 139 before its report: Segmentation fault" "no-gpu-seen:the program found no GPU"; do
    afresh
    touch "$scratch/knobs/${fault%%:*}"
    prove --only tests
    expect "tests that did not run (${fault%%:*}): exit 1" exits_with 1
    expect "tests that did not run (${fault%%:*}): the reason is in the report" tells "${fault#*:}"
done

# ---- time ----

afresh
prove --minutes 0.05
expect "without time: exit 3" exits_with 3
expect "without time no stage starts" [ "$(grep -cv nvidia-smi "$scratch/calls")" = 0 ]
expect "each stage says how much time it needs" tells "| tests | [gpu] tests | not reached |  | needs about 30 s, "
expect "unmeasured targets say so" tells "| ResNet-20, ms per step | 0.30 |  | not measured (not reached: needs about 30 s"

# ---- interrupted, then continued ----

afresh
touch "$scratch/knobs/slow"
prove --only golden
env PATH="$programs:$PATH" PYTHONPATH="$scratch/python" SCRATCH="$scratch" HOME="$scratch" CIFAR10_DIR= \
    bash "$kit/tools/prove_gpu.sh" --out "$scratch/out" --only '*-resnet20*' >"$scratch/output" 2>&1 &
process=$!
background+=("$process")
for _ in $(seq 600); do
    if [ -e "$scratch/knobs/training" ]; then break; fi
    sleep 0.1
done
kill "$process"
status=0
wait "$process" || status=$?
expect "an interrupted proof: exit 3" exits_with 3
expect "an interrupted proof: the folder of the results is named" says "stopped by SIGTERM; finished stages are kept in $scratch/out"
expect "an interrupted proof writes the report" tells "| step-resnet20 | training step of resnet20, engine only | passed |"
expect "the interrupted run has no result" absent "$scratch/out/train-resnet20-0.json"
rm "$scratch/knobs/slow"
prove --only '*-resnet20*'
expect "the next call finishes the interrupted run" [ "$(of train-resnet20-0 state)" = passed ]
expect "the next call repeats no finished stage" [ "$(calls_of "--engine-only")" = 1 ]
expect "images are drawn if there is no CIFAR-10" called "draw-images $scratch/out/images"
expect "accuracy is not checked on synthetic images" tells "not measured (full runs on CIFAR-10: 0 of the engine, 0 of PyTorch)"

# ---- the report reads the output of the real kernel-bench ----

run env OMP_NUM_THREADS=1 "$bin/kernel-bench" --device cpu --batch 1 --seconds 0 --filter '^add/' --json "$scratch/kernels.json"
expect "kernel-bench runs" exits_with 0
run python3 -c 'import json, sys
sys.path.insert(0, sys.argv[1])
import report
print(*report.kernel_part({"kernel-bench-1": {"data": json.load(open(sys.argv[2]))}}), sep="\n")
' "$repository/tools/prove" "$scratch/kernels.json"
expect "its rows become a table" says "| add | 16x32x32 | 1 | f32 | composed | "

# ---- an interrupted stage gives way to later ones ----

cat >"$scratch/cut_off.py" <<'END'
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import report, targets
from proof import Proof, Setting, Stage

out = Path(sys.argv[2])
out.mkdir()
targets.all_targets, report.document = lambda results: [], lambda results: ""
stages = [
    Stage("long", "", lambda attempt: attempt.run("sleep", "50"), 0),
    Stage("endless", "", lambda attempt: attempt.run("sleep", "50"), 0, limit=0.3),
    Stage("short", "", lambda attempt: None, 0),
]
def states(seconds):
    setting = Setting(out, out, out, time.monotonic() + seconds, "", None)
    results = Proof(setting, stages).run(lambda name: True)
    return [(result["state"], result["note"]) for result in results.values()]
first, second, third = states(1.0), states(1.1), states(5.0)
assert first[0][1].startswith("cut off by the time limit after "), first
assert [state for state, _ in first] == ["not reached"] * 3, first
assert second[0][1].startswith("needs about "), second
assert second[1] == ("failed", "did not finish within 0 s: RESIDUAL_SOURCE_DIR=%s sleep 50" % out), second
assert second[2][0] == "passed", second
assert third[0][1].startswith("cut off by the time limit after "), third
print("passed")
END
run python3 "$scratch/cut_off.py" "$repository/tools/prove" "$scratch/cut"
expect "an interrupted stage does not block later ones" last_line_is passed

report
