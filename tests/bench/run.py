"""Runs commands side by side and says how they compare.

Every round runs each contender once, in turn, so that a busy moment of the machine meets all of them; ratios are
medians over rounds. A contender is a command; what it costs is read from the kernel when it ends (GNU time).
"""
import json, os, statistics, subprocess, sys, tempfile, time


def run(command):
    """Runs one command to its end: wall and CPU seconds, peak memory of its largest process in MiB.

    `time` starts it: a child of this process would be charged with what this process holds in memory.
    """
    with tempfile.NamedTemporaryFile("r") as figures:
        timed = ["/usr/bin/time", "-q", "-o", figures.name, "-f", "%e %U %S %M", *command]
        process = subprocess.run(timed, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        wall, user, system, peak = map(float, figures.read().split()[-4:])
    return {"code": process.returncode, "wall": wall, "cpu": user + system, "peak_mib": peak / 1024, "output": process.stdout}


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
