"""Kills a training run again and again at random moments and resumes it until it is finished:

    random_kills.py FOLDER_OF_PROGRAMS CYCLES [SEED]

CYCLES times, resnet-train gets SIGKILL, SIGTERM or SIGINT after a random time and is started again with --resume. At
the end its folder must equal, bit for bit, that of an uninterrupted run: weights, momenta, statistics, rows, names.
After every signal each checkpoint must be complete.
"""
import collections
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

import run_state

PROGRAMS, CYCLES = os.path.abspath(sys.argv[1]), int(sys.argv[2])
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 32)
# More steps than the cycles can do, so that the last signal comes before the end.
STEPS = 80 * CYCLES
# Idle threads sleep: spinning would slow down everything else on the machine.
ENVIRONMENT = dict(os.environ, OMP_WAIT_POLICY="passive")
LONGEST = 1.2  # seconds; the first step comes after about half of it


def command(config, data, folder):
    return [os.path.join(PROGRAMS, "resnet-train"), config, "--data", data, "--out", folder, "--resume"]


def main():
    choose = random.Random(SEED)
    print(f"{CYCLES} cycles, {STEPS} steps, seed {SEED}", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        data, config = os.path.join(scratch, "data"), os.path.join(scratch, "kills.json")
        subprocess.run([os.path.join(PROGRAMS, "draw-images"), data], check=True, stdout=subprocess.DEVNULL)
        with open(config, "w", encoding="ascii") as file:
            json.dump({"model": {"depth": 8},
                       "train": {"steps": STEPS, "batch_size": 8, "device": "cpu"},
                       "schedule": {"boundaries": [STEPS // 2], "values": [0.01, 0.001]},
                       # Intervals that do not divide one another.
                       "run": {"log_every": 7, "eval_every": STEPS // 3, "checkpoint_every": 20, "keep": 3}}, file)

        uninterrupted, killed = os.path.join(scratch, "uninterrupted"), os.path.join(scratch, "killed")
        signals = collections.Counter()
        for cycle in range(CYCLES):
            process = subprocess.Popen(command(config, data, killed), env=ENVIRONMENT, text=True,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            time.sleep(choose.uniform(0, LONGEST))
            chosen = choose.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
            process.send_signal(chosen)
            errors = process.communicate(timeout=120)[1]
            # The negative status: SIGKILL, or a signal before the program has installed its handlers.
            if process.returncode not in (128 + chosen, -chosen):
                sys.exit(f"cycle {cycle}: {chosen.name} led to status {process.returncode}: {errors}")
            if errors:
                sys.exit(f"cycle {cycle}: {errors}")
            signals[chosen.name] += 1
            if os.path.isdir(killed):
                run_state.checkpoints(killed)
        for folder in killed, uninterrupted:
            subprocess.run(command(config, data, folder), check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
        expected, found = run_state.state(uninterrupted), run_state.state(killed)
        for part, value in expected.items():
            if found[part] != value:
                sys.exit(f"after {dict(signals)} the run differs from an uninterrupted one: {part}")
        print(f"the same bits after {dict(signals)}: {len(expected['rows'])} rows, {', '.join(expected['names'])}")


main()
