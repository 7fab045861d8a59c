"""Ends a training run again and again at random moments, and lets it go on, until it is done:

    random_kills.py FOLDER_OF_PROGRAMS CYCLES [SEED]

CYCLES times resnet-train is ended by SIGKILL, SIGTERM or SIGINT after a random time and started again with --resume.
What stands in its folder at the end must be, bit for bit, what a run leaves that was never interrupted: weights,
momenta, statistics, rows, names. At every end each checkpoint must be whole.
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
# More than a cycle brings on average, so that the last one comes before the end.
STEPS = 80 * CYCLES
# Idle threads sleep: beside other work, threads that spin would take its time and their own.
ENVIRONMENT = dict(os.environ, OMP_WAIT_POLICY="passive")
LONGEST = 1.2  # seconds; half of it is spent before the first step


def command(config, data, folder):
    return [os.path.join(PROGRAMS, "resnet-train"), config, "--data", data, "--out", folder, "--resume"]


def main():
    choose = random.Random(SEED)
    print(f"{CYCLES} cycles, {STEPS} steps, seed {SEED}", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        data, config = os.path.join(scratch, "data"), os.path.join(scratch, "soak.json")
        subprocess.run([os.path.join(PROGRAMS, "draw-images"), data], check=True, stdout=subprocess.DEVNULL)
        with open(config, "w", encoding="ascii") as file:
            json.dump({"model": {"depth": 8},
                       "train": {"steps": STEPS, "batch_size": 8, "device": "cpu"},
                       "schedule": {"boundaries": [STEPS // 2], "values": [0.01, 0.001]},
                       # Intervals that do not divide one another.
                       "run": {"log_every": 7, "eval_every": STEPS // 3, "checkpoint_every": 20, "keep": 3}}, file)

        whole, soaked = os.path.join(scratch, "whole"), os.path.join(scratch, "soaked")
        ends = collections.Counter()
        for cycle in range(CYCLES):
            process = subprocess.Popen(command(config, data, soaked), env=ENVIRONMENT, text=True,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            time.sleep(choose.uniform(0, LONGEST))
            chosen = choose.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
            process.send_signal(chosen)
            errors = process.communicate(timeout=120)[1]
            # A signal that comes before the program listens for it, or a SIGKILL, ends it as the system does.
            if process.returncode not in (128 + chosen, -chosen):
                sys.exit(f"cycle {cycle}: {chosen.name} ended with {process.returncode}: {errors}")
            if errors:
                sys.exit(f"cycle {cycle}: {errors}")
            ends[chosen.name] += 1
            if os.path.isdir(soaked):
                run_state.checkpoints(soaked)
        for folder in soaked, whole:
            subprocess.run(command(config, data, folder), check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
        expected, found = run_state.state(whole), run_state.state(soaked)
        for part, value in expected.items():
            if found[part] != value:
                sys.exit(f"after {dict(ends)} the run differs from one that was not interrupted: {part}")
        print(f"the same bits after {dict(ends)}: {len(expected['rows'])} rows, {', '.join(expected['names'])}")


main()
