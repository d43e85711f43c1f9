"""Runs commands side by side and says how they compare.

Every round runs each contender once, in turn, so that a busy moment of the machine meets all of them; ratios are
medians over rounds. A contender is a command; what it costs is read from the kernel when it ends.
"""
import json, os, resource, statistics, subprocess, sys, time


def run(command, environment=None):
    """Runs one command to its end: wall and CPU seconds, peak memory of its largest process in MiB."""
    before = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env={**os.environ, **(environment or {})})
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - before
    return {"code": code, "wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak_mib": usage.ru_maxrss / 1024,
            "output": output}


def rounds(contenders, count, prepare=lambda name: None, check=lambda name, result: None, pause=1.0):
    """Runs every contender `count` times in turn; gives all results by name. One that fails is dropped, and said."""
    results = {name: [] for name in contenders}
    for _ in range(count):
        for name, command in contenders.items():
            if results[name] is None:
                continue
            prepare(name)
            result = run(command)
            problem = check(name, result) if result["code"] == 0 else result["output"].strip()[-300:]
            if problem:
                print(f"{name} is left out: {problem}", file=sys.stderr, flush=True)
                results[name] = None
                continue
            results[name].append(result)
            time.sleep(pause)
    return {name: result for name, result in results.items() if result}


def table(results, ours, work, unit):
    """One line a contender: work per second (wall and CPU), memory, and how many times faster ours is (median of rounds)."""
    lines = [f"| | {unit}/s | {unit}/CPU s | peak MiB | ours is × faster (wall) | (CPU) |", "|---|---|---|---|---|---|"]
    for name, runs in results.items():
        median = lambda key: statistics.median(run[key] for run in runs)
        line = f"| {name} | {work / median('wall'):.0f} | {work / median('cpu'):.0f} | {median('peak_mib'):.0f} |"
        if ours in results and name != ours:
            pairs = list(zip(runs, results[ours]))
            ratio = lambda key: statistics.median(peer[key] / own[key] for peer, own in pairs)
            line += f" {ratio('wall'):.2f} | {ratio('cpu'):.2f} |"
        else:
            line += " | |"
        lines.append(line)
    return "\n".join(lines)


def load():
    return f"load average {os.getloadavg()[0]:.2f}, {os.cpu_count()} cores"


def record(path, name, results):
    """Keeps every single run, so that a figure can be looked into later."""
    if path:
        with open(path, "a") as file:
            plain = {key: [{k: v for k, v in run.items() if k != "output"} for run in runs] for key, runs in results.items()}
            file.write(json.dumps({"benchmark": name, "time": time.time(), "results": plain}) + "\n")
