"""Stages that check whether the programs compute correct results."""

import os
import re
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import machine
from proof import Failed, Skipped, Stage, TookTooLong

SANITIZER_SECONDS = 240  # each; some of the tools would take far longer for all kernel tests

# compute-sanitizer may count its refusal of a device as an error in its summary.
DEVICE_REFUSED = re.compile(r"^=+ .*Device not supported.*", re.MULTILINE)
NO_START = re.compile(r".*(?:not supported|unsupported|Failed to initialize|Unable to|Insufficient).*")
FINDING = re.compile(r"^=+ (?:Invalid|Uninitialized|Error: (?!Device)|Program hit).*", re.MULTILINE)


def machine_facts(attempt):
    setting = attempt.setting
    facts = setting.gpu | {"programs": machine.fingerprint(setting.programs)}
    attempt.run("nvidia-smi", engine=False)
    libraries = attempt.run("ldd", setting.programs / "resnet-train").text
    for name in ("libcudart", "libcublas", "libcudnn"):
        if found := re.search(rf"{name}\.so\S* => (\S+)", libraries):
            facts[name] = Path(found.group(1)).resolve().name
    return facts | machine.torch_versions()


def has_gpu_cases(attempt, program):
    listing = attempt.run(program, "--list-tests", "[gpu]").text
    return re.search(r"^[1-9]\d* (?:matching )?test case", listing, re.MULTILINE)


def run_cases(attempt, program):
    """Runs the [gpu] cases of one Catch2 program: {cases, failed: [names], problem}."""
    report = attempt.setting.out / "logs" / f"{program.name}.xml"
    report.unlink(missing_ok=True)
    outcome = attempt.run(program, "[gpu]", "--reporter", "xml", "--out", report)
    try:
        cases = list(ElementTree.parse(report).iter("TestCase"))
    except (OSError, ElementTree.ParseError):
        problem = f"exited with status {outcome.status} before its report: {outcome.last_line()}"
        return {"cases": 0, "failed": [], "problem": problem}
    results = [(case.get("name"), case.find("OverallResult")) for case in cases]
    failed = [name for name, result in results if result is None or result.get("success") != "true"]
    problem = ""
    if "skipped: no GPU" in outcome.text + report.read_text(errors="replace"):
        problem = "cases were skipped: the program found no GPU"
    elif not cases:
        problem = "no case ran"
    elif outcome.status != 0 and not failed:
        problem = outcome.failure()
    return {"cases": len(cases), "failed": failed, "problem": problem}


def judge(attempt, programs):
    """Runs the [gpu] cases of the programs. Raises Failed if a case fails or a program does not finish its cases."""
    summaries = {program.name: run_cases(attempt, program) for program in programs}
    cases = sum(summary["cases"] for summary in summaries.values())
    wrong = [f"{name}: {case}" for name, summary in summaries.items() for case in summary["failed"]]
    wrong += [f"{name} {summary['problem']}" for name, summary in summaries.items() if summary["problem"]]
    if wrong:
        raise Failed(f"{len(wrong)} of {cases} cases or programs failed: {'; '.join(wrong)}", summaries)
    return {"note": f"{cases} cases"} | summaries


def gpu_tests(attempt):
    folder = attempt.setting.programs
    programs = [program for program in sorted(folder.glob("tests-*")) if has_gpu_cases(attempt, program)]
    programs = [program for program in programs if program.name != "tests-golden"]
    if not programs:
        raise Failed(f"no program of {folder} has [gpu] tests: build them with the preset cuda")
    return judge(attempt, programs)


def golden(attempt):
    return judge(attempt, [attempt.setting.programs / "tests-golden"])


def sanitizer(tool):
    def work(attempt):
        program = shutil.which("compute-sanitizer", path=os.environ["PATH"] + ":/usr/local/cuda/bin")
        if program is None:
            raise Skipped("compute-sanitizer is not on PATH (it comes with the CUDA toolkit)")
        options = ["--tool", tool, "--error-exitcode", "9"]
        try:
            outcome = attempt.run(program, *options, attempt.setting.programs / "tests-kernels", "[gpu]")
        except TookTooLong as timeout:
            if found := FINDING.search(timeout.text):
                raise Failed(f"{found.group(0).strip('= ')}; it did not finish in its time") from None
            raise Skipped(f"it did not finish within {SANITIZER_SECONDS} s, without a finding") from None
        summaries = re.findall(r"^=+ (?:ERROR|RACECHECK) SUMMARY: .*", outcome.text, re.MULTILINE)
        unmeasured = "skipped: no GPU" in outcome.text or not summaries
        refusal = DEVICE_REFUSED.search(outcome.text) or (unmeasured and NO_START.search(outcome.text))
        if refusal:
            raise Skipped(f"compute-sanitizer refuses this device: {refusal.group(0).strip('= ')}")
        if unmeasured:
            raise Failed(f"no summary; {outcome.failure()}")
        summary = summaries[-1].strip("= ")
        if outcome.status != 0:
            raise Failed(f"{summary} (status {outcome.status})")
        return {"note": summary}

    title = f"compute-sanitizer's {tool} on the kernel tests"
    return Stage(tool, title, work, SANITIZER_SECONDS + 10, SANITIZER_SECONDS)
