"""SPARQL: the node's example queries, and closure questions beside Virtuoso, Oxigraph and rdflib on the same crates.

usage: sparql.py [--times 1,10] [--questions 15] [--peers oxigraph_disk,virtuoso,rdflib]

Needs a built heliograph (PROGRAM), $HELIOGRAPH_SHARED with crates and peers' side, pyoxigraph and rdflib; virtuoso-opensource where it is to be
compared. The peers answer in their process or by HTTP over triples without graphs; the node answers by HTTP, with a graph for each dataset,
in a process of its own. The last two rows of a node ask its search instead, which knows every record's ancestors.
"""
import json, os, pathlib, shutil, statistics, subprocess, sys, tempfile, time, urllib.parse, urllib.request
import catalogue, federation

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "crates/web-portal/assets/queries"
BENCH = catalogue.SHARED / "bench"
PREFIXES = ("PREFIX s: <http://schema.org/> PREFIX d: <http://rs.tdwg.org/dwc/iri/> PREFIX o: <http://purl.obolibrary.org/obo/> "
            "PREFIX r: <http://www.w3.org/2000/01/rdf-schema#>\n")
# As the peers' side asks them.
CLOSURES = {
    "method_closure": "SELECT (COUNT(DISTINCT ?x) AS ?n) WHERE { ?m r:subClassOf* o:FBbi_00000241 . ?x a s:Dataset ; d:measurementMethod ?m }",
    "taxon_closure": "SELECT (COUNT(DISTINCT ?x) AS ?n) WHERE { ?t r:subClassOf* o:NCBITaxon_40674 . ?x a s:Dataset ; s:about ?t }",
    "taxon_page": "SELECT DISTINCT ?x ?name WHERE { ?t r:subClassOf* o:NCBITaxon_40674 . ?x s:about ?t ; a s:Dataset ; s:name ?name } ORDER BY ?name LIMIT 20",
    "facet_publisher": "SELECT ?p (COUNT(?x) AS ?n) WHERE { ?x a s:Dataset ; s:publisher ?p } GROUP BY ?p ORDER BY DESC(?n)",
}
SEARCHES = {"taxon_closure by search": "organism=NCBITaxon:40674&size=0", "taxon_page by search": "organism=NCBITaxon:40674&size=20&sort=title"}


def timed(ask, count):
    times = []
    for _ in range(count):
        begun = time.perf_counter()
        answer = ask()
        times.append(1000 * (time.perf_counter() - begun))
    times.sort()
    return {"p50_ms": round(statistics.median(times), 2), "max_ms": round(times[-1], 2), "rows": answer}


def own(times, count):
    node = federation.Node("europe")
    try:
        node.post("/api/v1/sources/copies/import", catalogue.lines(catalogue.crates(), times), "application/x-ndjson")
        size = catalogue.ask(node.url, "/federation/v1/node")["log_size"]
        while node.indexed("europe") < size:
            time.sleep(0.2)
        held = "SELECT (COUNT(DISTINCT ?d) AS ?n) { ?d <https://heliograph.org/ns#node> ?node }"
        while int(catalogue.sparql(node.url, held)["results"]["bindings"][0]["n"]["value"]) < size:
            time.sleep(0.5)
        rows = lambda query: lambda: len(catalogue.sparql(node.url, query)["results"]["bindings"])
        queries = {name: PREFIXES + query for name, query in CLOSURES.items()}
        queries.update((path.stem, path.read_text()) for path in sorted(EXAMPLES.glob("*.rq")))
        answer = {"peer": "heliograph", "records": size}
        answer.update((name, timed(rows(query), count)) for name, query in queries.items())
        for name, query in SEARCHES.items():
            answer[name] = timed(lambda: catalogue.ask(node.url, f"/api/v1/search?{query}")["total"], count)
        return answer
    finally:
        node.end()


def peer(name, triples):
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/work")
        command = [sys.executable, str(BENCH / "rdf_peers.py"), name, triples]
        run = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "R": folder})
        return json.loads(run.stdout.splitlines()[-1]) if run.returncode == 0 else {"peer": name, "failed": run.stderr[-300:]}


def main():
    value = lambda name, default: sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default
    peers = value("--peers", "oxigraph_disk,virtuoso,rdflib").split(",")
    for times in (int(one) for one in value("--times", "1,10").split(",")):
        print("load average:", open("/proc/loadavg").read().split()[:3], file=sys.stderr)
        print(json.dumps(own(times, int(value("--questions", "15")))), flush=True)
        with tempfile.TemporaryDirectory() as folder:
            triples = f"{folder}/crates.nt"
            subprocess.run([sys.executable, str(BENCH / "rdf_data.py"), triples, str(times)], check=True, stdout=subprocess.DEVNULL)
            for name in peers:
                if name == "virtuoso" and not shutil.which("virtuoso-t"):
                    print("virtuoso is left out: apt-get install virtuoso-opensource", file=sys.stderr)
                elif name != "rdflib" or times == 1:
                    print(json.dumps(peer(name, triples)), flush=True)


if __name__ == "__main__":
    main()
