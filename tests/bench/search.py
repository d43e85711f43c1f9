"""Searching: our index beside tantivy-py, SQLite FTS5 and Lucene, on the same records and the same questions.

usage: search.py SEARCH_RECORDS SHARED WORK [--records 1252 100000] [--questions 25] [--record FILE]

SEARCH_RECORDS is our example program `search_records`. SHARED/bench makes the records (real ones first, then mixtures of them) and has the
peers' side. A question is a word, two words with a publisher, a word below a taxon, or everything; each answers total,
20 records and facets: five tables for the peers, all of ours, ancestors counted, for us. `year_filter` is ours alone:
everything with a filter that keeps it all, so that no answer is known from before. In brackets, of ours, the mean time spent working:
what a question costs where others use the machine. Last the slowest; of ours, before it, what 99 of 100 stay below (ask 1,000 for that).
"""
import argparse, glob, json, os, shutil, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.dirname(__file__))
import run

KINDS = ["term", "two_terms_filter", "term_ontology", "all", "year_filter"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program"), parser.add_argument("shared"), parser.add_argument("work")
    parser.add_argument("--records", type=int, nargs="+", default=[1252, 100_000])
    parser.add_argument("--questions", type=int, default=25), parser.add_argument("--record")
    options = parser.parse_args()
    for count in options.records:
        data = os.path.join(options.work, f"search-{count}.ndjson")
        if not os.path.exists(data):
            subprocess.run([sys.executable, f"{options.shared}/bench/search_data.py", data, str(count)], check=True)
        print(f"\n{count} records; {run.load()}\n")
        print("| | records/s | MB | " + " | ".join(f"{kind} p50 / slowest ms" for kind in KINDS) + " | peak MiB |")
        print("|---|---|---|" + "---|" * (len(KINDS) + 1))
        for name, command in contenders(options, data).items():
            print(line(name, command, options), flush=True)
    print(run.load())


def contenders(options, data):
    """Ours first; a peer that is not installed is left out."""
    peers = f"{options.shared}/bench/search_peers.py"
    commands = {"heliograph": [options.program, data, "FOLDER", str(options.questions)]}
    try:
        import tantivy  # noqa: F401
        commands["tantivy-py"] = [sys.executable, peers, "tantivy", data]
    except ImportError:
        print("tantivy-py is left out: pip install tantivy", file=sys.stderr)
    commands["sqlite-fts5"] = [sys.executable, peers, "sqlite", data]
    if shutil.which("java") and glob.glob("/usr/share/java/lucene*core*"):
        commands["lucene"] = ["java", "-Xmx2g", "-cp", "/usr/share/java/*", f"{options.shared}/bench/LuceneBench.java", data]
    else:
        print("lucene is left out: apt-get install liblucene8-java libjackson2-databind-java default-jdk-headless", file=sys.stderr)
    return commands


def line(name, command, options):
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        os.makedirs(f"{folder}/work")
        environment = dict(os.environ, R=folder, NQ=str(options.questions))
        command = [folder if part == "FOLDER" else part for part in command]
        timed = ["/usr/bin/time", "-q", "-o", f"{folder}/peak", "-f", "%M", *command]
        process = subprocess.run(timed, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        if process.returncode != 0:
            return f"| {name} | failed: {process.stderr.strip()[-200:]} |"
        answer = json.loads(process.stdout.strip().splitlines()[-1])
        peak = int(open(f"{folder}/peak").read().split()[-1]) // 1024
        size = answer.get("index_MB") or sum(os.path.getsize(path) for path in glob.glob(f"{folder}/**", recursive=True) if os.path.isfile(path)) // 1_000_000
    if options.record:
        with open(options.record, "a") as file:
            file.write(json.dumps({"benchmark": "search", "time": time.time(), "peak_mib": peak, **answer}) + "\n")
    cpu = lambda times: f" ({times['cpu_mean_ms']:.2f})" if "cpu_mean_ms" in times else ""
    # What the peers call p99 is the slowest.
    slow = lambda times: f"{times['p99_ms']:.2f} / {times['max_ms']:.2f}" if "max_ms" in times else f"{times['p99_ms']:.2f}"
    cell = lambda kind: f"{answer[kind]['p50_ms']:.2f}{cpu(answer[kind])} / {slow(answer[kind])}" if kind in answer else "–"
    return f"| {name} | {answer['docs_per_s']:.0f} | {size} | " + " | ".join(map(cell, KINDS)) + f" | {peak} |"


main()
