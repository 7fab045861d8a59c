#!/usr/bin/env bash
# The programs with standard streams that are closed, full, pipes without a reader, or a terminal of one column, with a
# limit on the size of files, and in a locale with a decimal comma.
#     test_streams.sh FOLDER_OF_PROGRAMS
set -euo pipefail
bin=$(realpath "$1")
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"
# shellcheck source=tools/lib.sh
. "$repository/tools/lib.sh"
# shellcheck source=tools/cifar.sh
. "$repository/tools/cifar.sh"
cd "$scratch"
unset LC_ALL LC_NUMERIC LANG

# Black images of the first class, in sparse files.
mkdir data
for name in "${cifar10_files[@]}"; do truncate -s 30730000 "data/$name"; done
cat >tiny.json <<'JSON'
{
  "model": {"depth": 8},
  "train": {"steps": 2, "batch_size": 500, "device": "cpu"},
  "schedule": {"boundaries": [], "values": [0.015625]},
  "run": {"log_every": 1}
}
JSON
# Every run evaluates 10,000 images at its end, which is slow in a sanitizer build: keep runs few.
train() { "$bin/resnet-train" tiny.json --data data "$@"; }
evaluation=("$bin/resnet-eval" closed/step-00000002.safetensors --data data --device cpu)
equal() { [ "$1" = "$2" ]; }
# whole FOLDER: the run has three rows of metrics, its configuration and a checkpoint.
whole() {
    /usr/bin/python3 - "$1" <<'PYTHON'
import json, os, sys
rows = [json.loads(line) for line in open(sys.argv[1] + "/metrics.jsonl")]
rates = [row["learning_rate"] for row in rows if "learning_rate" in row]
config = json.load(open(sys.argv[1] + "/config.json"))
whole = len(rows) == 3 and rates == [0.015625, 0.015625] and config["schedule"]["values"] == [0.015625]
sys.exit(0 if whole and os.path.getsize(sys.argv[1] + "/step-00000002.safetensors") > 100000 else 1)
PYTHON
}

# ---- closed streams
status=0
train --out closed >&- 2>output </dev/null || status=$?
expect "training with standard output closed succeeds" exits_with 0
# The first file that stays open is metrics.jsonl: it must not get the descriptor of standard output and its lines.
expect "training with standard output closed: the run is complete" whole closed
expect "a warning is printed on standard error" says "warning: standard output cannot be written (Bad file descriptor)"
status=0
"$bin/resnet-train" --bogus <&- >&- 2>&- || status=$?
expect "with every stream closed the exit code is the same" exits_with 2
status=0
"$bin/kernel-bench" --device cpu --list >&- 2>output || status=$?
expect "a list with standard output closed: exit 1" exits_with 1
expect "and says so" says "kernel-bench: cannot write to standard output; part of the output is lost"

# ---- a pipe without a reader
# unread COMMAND...: standard output is a pipe without a reader.
unread() {
    status=0
    /usr/bin/python3 -c '
import os, signal, subprocess, sys
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
reading, writing = os.pipe()
os.close(reading)
sys.exit(subprocess.run(sys.argv[1:], stdout=writing, restore_signals=True).returncode)' "$@" 2>output </dev/null || status=$?
}
unread "$bin/resnet-train" tiny.json --data data --out unread
expect "training into a pipe without a reader succeeds" exits_with 0
expect "the run is complete" whole unread
expect "a warning is printed on standard error" says "warning: standard output cannot be written (Broken pipe); the run continues without it"
expect "the warning is printed once" equal "$(wc -l <output)" 1
unread "${evaluation[@]}"
expect "evaluation into a pipe without a reader: exit 1" exits_with 1
expect "and says so" says "resnet-eval: cannot write to standard output; part of the output is lost: Broken pipe"
for program in resnet-train resnet-eval kernel-bench draw-images; do
    unread "$bin/$program" --help
    expect "$program: help into a pipe without a reader: exit 1, no signal" exits_with 1
done

# ---- a full disk
full() {
    status=0
    "$@" >/dev/full 2>output </dev/null || status=$?
}
full train --out full
expect "training with standard output on a full disk succeeds" exits_with 0
expect "the run is complete" whole full
expect "a warning is printed on standard error" says "warning: standard output cannot be written (No space left on device)"
full "$bin/kernel-bench" --device cpu --list
expect "a list on a full disk: exit 1" exits_with 1
expect "and says so" says "kernel-bench: cannot write to standard output; part of the output is lost"
full "$bin/draw-images" --help
expect "help on a full disk: exit 1" exits_with 1

# ---- a limit on the size of files
# limited COMMAND...: no file may exceed 100 KiB.
limited() (
    ulimit -f 100
    "$@"
)
run limited train --out limited --set run.checkpoint_every=1
expect "a checkpoint beyond the limit on the size of files: exit 1" exits_with 1
expect "a checkpoint beyond the limit on the size of files: the file and the remedy" \
    says "resnet-train: cannot write limited/step-00000001.safetensors: File too large; raise the limit on the size of files (ulimit -f)"
head -c 102400 /dev/zero >list
status=0
limited "$bin/kernel-bench" --device cpu --list >>list 2>output || status=$?
expect "a list beyond the limit on the size of files: exit 1" exits_with 1
expect "and says so" says "kernel-bench: cannot write to standard output; part of the output is lost"

# ---- a terminal of one column, and a decimal comma
mkdir locales
if ! localedef -i de_DE -f UTF-8 locales/de_DE.UTF-8 2>output; then
    expect "localedef makes a locale with a decimal comma (package locales)" false
fi
comma=(env LOCPATH="$scratch/locales" LC_ALL=de_DE.UTF-8 TERM=xterm)
expect "the locale has a decimal comma" equal "$("${comma[@]}" bash -c 'printf "%.1f" 1,5')" "1,5"
cat >terminal.py <<'PYTHON'
"""terminal.py COMMAND...: runs it on a terminal of one column and prints its output."""
import fcntl, os, pty, struct, sys, termios

process, terminal = pty.fork()
if process == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 1, 0, 0))
    os.execv(sys.argv[1], sys.argv[1:])
try:
    while piece := os.read(terminal, 65536):
        sys.stdout.buffer.write(piece)
except OSError:
    pass  # the last process has closed the terminal
sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
PYTHON
run "${comma[@]}" /usr/bin/python3 terminal.py "$bin/resnet-train" tiny.json --data data --out terminal
expect "training on a terminal of one column succeeds" exits_with 0
expect "training on a terminal of one column: the run is complete, with decimal points" whole terminal
expect "the evaluation has decimal points" grep -qE 'test loss [0-9]+\.[0-9]{4}  test accuracy 100\.00 %' output
expect "the progress line is redrawn" says $'\r\033[K'
run "${comma[@]}" "${evaluation[@]}" --json
expect "evaluation in that locale succeeds" exits_with 0
expect "evaluation in that locale prints decimal points" grep -qE '"test_loss":[0-9]+\.[0-9]+' output

report
