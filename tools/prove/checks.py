"""Stages that find out whether the programs compute the right thing."""

import re
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import machine
from proof import Failed, Skipped, TookTooLong

# A refusal may be followed by a summary of errors, which then counts the refusal.
DEVICE_REFUSED = re.compile(r"^=+ .*Device not supported.*", re.MULTILINE)
NO_START = re.compile(r".*(?:not supported|unsupported|Failed to initialize|Unable to|Insufficient).*")
FINDING = re.compile(r"^=+ (?:Invalid|Uninitialized|Error: (?!Device)|Program hit).*", re.MULTILINE)


def machine_facts(setting, attempt):
    facts = machine.gpu()
    facts["programs"] = machine.fingerprint(setting.programs)
    attempt.run("nvidia-smi", engine=False)
    attempt.run("ldd", setting.programs / "resnet-train")
    libraries = attempt.commands[-1]["output_tail"]
    for name in ("libcudart", "libcublas", "libcudnn"):
        found = re.search(rf"{name}\.so\S* => (\S+)", libraries)
        if found:
            facts[name] = Path(found.group(1)).resolve().name
    facts.update(machine.torch_versions())
    return facts


def gpu_programs(setting, attempt):
    """The test programs that have [gpu] cases."""
    programs = []
    for program in sorted(setting.programs.glob("tests-*")):
        listing = attempt.run(program, "--list-tests", "[gpu]").text
        if re.search(r"^[1-9]\d* (?:matching )?test case", listing, re.MULTILINE):
            programs.append(program)
    return programs


def run_cases(setting, attempt, program):
    """The [gpu] cases of one Catch2 program: {cases, failed: [names], problem}."""
    report = setting.out / "logs" / f"{program.name}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    outcome = attempt.run(program, "[gpu]", "--reporter", "xml", "--out", report)
    summary = {"cases": 0, "failed": [], "problem": ""}
    try:
        cases = list(ElementTree.parse(report).iter("TestCase"))
    except (OSError, ElementTree.ParseError):
        summary["problem"] = f"ended with status {outcome.status} before its report: {outcome.last_line()}"
        return summary
    summary["cases"] = len(cases)
    for case in cases:
        result = case.find("OverallResult")
        if result is None or result.get("success") != "true":
            summary["failed"].append(case.get("name"))
    skipped = "skipped: no GPU" in outcome.text or "skipped: no GPU" in report.read_text(errors="replace")
    if skipped:
        summary["problem"] = "cases were skipped: the program found no GPU"
    elif not cases:
        summary["problem"] = "no case ran"
    elif outcome.status != 0 and not summary["failed"]:
        summary["problem"] = f"ended with status {outcome.status}: {outcome.last_line()}"
    return summary


def judge(summaries):
    """The stage's data; raises Failed where a case failed or a program did not do its work."""
    cases = sum(summary["cases"] for summary in summaries.values())
    wrong = [f"{name}: {case}" for name, summary in summaries.items() for case in summary["failed"]]
    wrong += [f"{name} {summary['problem']}" for name, summary in summaries.items() if summary["problem"]]
    if wrong:
        raise Failed(f"{len(wrong)} of {cases} cases or programs failed: {'; '.join(wrong)}", summaries)
    return {"note": f"{cases} cases"} | summaries


def gpu_tests(setting, attempt):
    programs = [program for program in gpu_programs(setting, attempt) if program.name != "tests-golden"]
    if not programs:
        raise Failed(f"no program of {setting.programs} has [gpu] tests: build them with the preset cuda")
    return judge({program.name: run_cases(setting, attempt, program) for program in programs})


def golden(setting, attempt):
    program = setting.programs / "tests-golden"
    return judge({program.name: run_cases(setting, attempt, program)})


def find_sanitizer():
    candidates = ["/usr/local/cuda/bin", "/usr/local/cuda/compute-sanitizer"]
    return shutil.which("compute-sanitizer") or shutil.which("compute-sanitizer", path=":".join(candidates))


def sanitizer(tool):
    """A stage: the kernel tests under one of compute-sanitizer's tools."""

    def work(setting, attempt):
        program = find_sanitizer()
        if program is None:
            raise Skipped("compute-sanitizer is not on PATH (it comes with the CUDA toolkit)")
        options = ["--tool", tool, "--error-exitcode", "9"]
        try:
            outcome = attempt.run(program, *options, setting.programs / "tests-kernels", "[gpu]")
        except TookTooLong as end:
            found = FINDING.search(end.text)
            if found:
                raise Failed(f"{found.group(0).strip('= ')}; it did not end in its time") from None
            raise Skipped(f"it did not end within {attempt.stage.limit:.0f} s, and had found nothing") from None
        summaries = re.findall(r"^=+ (?:ERROR|RACECHECK) SUMMARY: .*", outcome.text, re.MULTILINE)
        unmeasured = "skipped: no GPU" in outcome.text or not summaries
        refusal = DEVICE_REFUSED.search(outcome.text) or (unmeasured and NO_START.search(outcome.text))
        if refusal:
            raise Skipped(f"compute-sanitizer refuses this device: {refusal.group(0).strip('= ')}")
        if unmeasured:
            raise Failed(f"no summary; ended with status {outcome.status}: {outcome.last_line()}")
        summary = summaries[-1].strip("= ")
        if outcome.status != 0:
            raise Failed(f"{summary} (status {outcome.status})")
        return {"note": summary}

    return work
