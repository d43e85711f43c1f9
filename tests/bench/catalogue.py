"""Imports the real collections, once and multiplied, into a fresh node: records and triples a second, memory, disk.

usage: catalogue.py [--times 1,10,100]

Needs a built heliograph (PROGRAM) and the collections in $HELIOGRAPH_SHARED/data/gide-crates. A copy of a crate has another
accession, another address and another title, so that it is another study. Prints one JSON object for each multiple, then a table.
"""
import contextlib, http.client, json, os, pathlib, shutil, socket, subprocess, sys, tempfile, threading, time, urllib.parse, urllib.request

HERE = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("HELIOGRAPH_SHARED", HERE.parent / "shared"))
PROGRAM = os.environ.get("PROGRAM") or str(pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE / "target")) / "release/heliograph")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def crates():
    files = sorted((SHARED / "data/gide-crates").rglob("*-ro-crate-metadata.json"))
    if not files:
        sys.exit("catalogue.py: no crates: set HELIOGRAPH_SHARED")
    return [(file.name, file.read_text()) for file in files]


def root_of(document):
    descriptor = next(e for e in document["@graph"] if str(e["@id"]).endswith("ro-crate-metadata.json"))
    return descriptor["about"]["@id"]


def copy(text, number):
    """The crate as another study's."""
    if number == 0:
        return text
    document = json.loads(text)
    root = root_of(document)
    other = f"{root.rstrip('/')}-{number}" + ("/" if root.endswith("/") else "")
    for entity in document["@graph"]:
        if entity["@id"] == root:
            entity["@id"] = other
            entity["name"] = f"{entity.get('name', '')} ({number})"
            if isinstance(entity.get("identifier"), str):
                entity["identifier"] += f"-{number}"
        elif entity.get("about") == {"@id": root}:
            entity["about"] = {"@id": other}
    return json.dumps(document)


def lines(all_crates, times):
    for number in range(times):
        for name, text in all_crates:
            yield (json.dumps({"path": f"{number}/{name}", "crate": copy(text, number)}) + "\n").encode()
    yield b'{"complete": true}\n'


def status(pid, key):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith(key):
            return int(line.split()[1]) // 1024


class Own(threading.Thread):
    """The largest memory of a process that is its own: without the pages of files it has mapped, which the system takes back when it needs them."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.mib = pid, 0
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                self.mib = max(self.mib, status(self.pid, "RssAnon") or 0)
                time.sleep(0.1)


def cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def written(pid):
    """Bytes handed to the disk so far: what merging files costs, whatever else the machine does."""
    return next(int(line.split()[1]) for line in open(f"/proc/{pid}/io") if line.startswith("write_bytes"))


def ask(url, path):
    with urllib.request.urlopen(url + path, timeout=900) as answer:
        return json.loads(answer.read())


def sparql(url, query):
    request = urllib.request.Request(f"{url}/sparql?query={urllib.parse.quote(query)}", headers={"Accept": "application/sparql-results+json"})
    with urllib.request.urlopen(request, timeout=900) as answer:
        return json.loads(answer.read())


def disk(folder):
    """MiB of each part of a node's data. Snapshots of the RDF store are hard links to it, and counted with it."""
    parts = [part for part in os.listdir(folder) if os.path.isdir(f"{folder}/{part}") and part != "rdf-snapshots"]
    return {part: sum(f.stat().st_size for f in pathlib.Path(folder, part).rglob("*") if f.is_file()) >> 20 for part in parts}


def measure(all_crates, times):
    folder = tempfile.mkdtemp(prefix="heliograph-catalogue-")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    variables = {**os.environ, "HELIOGRAPH_SERVER_LISTEN": f"127.0.0.1:{port}", "HELIOGRAPH_STORAGE_DATA_DIR": folder,
                 "HELIOGRAPH_LOG_LEVEL": "warn", "HELIOGRAPH_LIMITS_SPARQL_SECONDS": "900"}
    node = subprocess.Popen([PROGRAM, "serve"], env=variables)
    try:
        for _ in range(600):
            try:
                ask(url, "/health/ready")
                break
            except OSError:
                time.sleep(0.1)
        token = open(f"{folder}/keys/admin-token").read().strip()
        begun, before, own = time.monotonic(), cpu(node.pid), Own(node.pid)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3600)
        connection.request("POST", "/api/v1/sources/copies/import", body=lines(all_crates, times), encode_chunked=True,
                           headers={"Authorization": f"Bearer {token}", "Transfer-Encoding": "chunked", "Content-Type": "application/x-ndjson"})
        answer = connection.getresponse()
        report = json.loads(answer.read())
        assert answer.status == 200, report
        stored = time.monotonic() - begun
        records = report["stored"]
        # The answer waits only so long for search; RDF follows after it.
        while sum(source["as_of"] for source in ask(url, "/api/v1/search?size=0")["sources"]) < records:
            time.sleep(0.2)
        searchable = time.monotonic() - begun
        count = "SELECT (COUNT(DISTINCT ?g) AS ?n) { GRAPH ?g { ?d a <http://schema.org/Dataset> } }"
        held, still = -1, 0
        while held < records and still < 5:
            now = int(sparql(url, count)["results"]["bindings"][0]["n"]["value"])
            still = still + 1 if now == held else 0
            held = now
            time.sleep(max(0.5, times / 10) if now < records else 0)
        rdf = time.monotonic() - begun
        triples = int(sparql(url, "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }")["results"]["bindings"][0]["n"]["value"])
        sizes = disk(folder)
        return {"times": times, "records": records, "triples": triples, "stored_s": round(stored, 1), "searchable_s": round(searchable, 1),
                "rdf_s": round(rdf, 1), "records_per_s": round(records / searchable), "triples_per_s": round(triples / rdf),
                "cpu_s": round(cpu(node.pid) - before, 1), "written_mib": written(node.pid) >> 20, "peak_mib": status(node.pid, "VmHWM"), "own_mib": own.mib, "disk_mib": sizes}
    finally:
        node.terminate()
        node.wait()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    times = sys.argv[sys.argv.index("--times") + 1] if "--times" in sys.argv else "1,10,100"
    all_crates, rows = crates(), []
    print("load average before:", open("/proc/loadavg").read().split()[:3], file=sys.stderr)
    for multiple in (int(one) for one in times.split(",")):
        rows.append(measure(all_crates, multiple))
        print(json.dumps(rows[-1]), flush=True)
    print("load average after:", open("/proc/loadavg").read().split()[:3], file=sys.stderr)
    print("\n| records | triples | stored s | searchable s | RDF s | records/s | triples/s | peak MiB | of it own | disk MiB |\n|---|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        print(f"| {row['records']:,} | {row['triples']:,} | {row['stored_s']} | {row['searchable_s']} | {row['rdf_s']} | {row['records_per_s']:,} | "
              f"{row['triples_per_s']:,} | {row['peak_mib']} | {row['own_mib']} | {sum(row['disk_mib'].values())} |")


if __name__ == "__main__":
    main()
