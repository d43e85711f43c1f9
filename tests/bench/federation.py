"""What following a node costs: a new node's bootstrap from a long log, and the time from a publication to its being found elsewhere.

usage: federation.py bootstrap [--times 1,80] [--ways stream,tiles,oai_dc,oai_datacite] | propagation [--count 300]

Needs a built heliograph (PROGRAM) and the collections in $HELIOGRAPH_SHARED/data/gide-crates. `bootstrap` puts a counting proxy between a node
with the collections (copied so many times) and a new one that follows it: once with the bulk stream, once by tiles alone, and reads
the same records by OAI-PMH for comparison. `propagation` runs three nodes that poll once a minute, publishes at one, and asks the
two others every 5 ms.
"""
import contextlib, http.client, json, os, re, shutil, socket, statistics, subprocess, sys, tempfile, threading, time, urllib.parse, urllib.request
import catalogue


class Node:
    def __init__(self, name, peers=(), poll=60):
        self.folder, self.port, self.name = tempfile.mkdtemp(prefix=f"heliograph-{name}-"), catalogue.free_port(), name
        self.url = f"http://127.0.0.1:{self.port}"
        self.start(peers, poll)

    def start(self, peers, poll=60):
        rows = "".join(f'[[federation.peers]]\nid = "{p}"\nurl = "{url}"\npublic_key = "{key}"\n' for p, url, key in peers)
        with open(f"{self.folder}/node.toml", "w") as file:
            file.write(f'[node]\nid = "{self.name}"\npublic_url = "{self.url}"\n[server]\nlisten = "127.0.0.1:{self.port}"\n'
                       f'[storage]\ndata_dir = "{self.folder}/data"\n[log]\nlevel = "warn"\n[federation]\npoll_seconds = {poll}\n{rows}')
        self.process = subprocess.Popen([catalogue.PROGRAM, "serve", "--config", f"{self.folder}/node.toml"])
        self.begun = time.monotonic()
        for _ in range(3000):
            try:
                catalogue.ask(self.url, "/health/ready")
                break
            except OSError:
                time.sleep(0.02)
        self.key = catalogue.ask(self.url, "/federation/v1/node")["public_key"]

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def end(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def post(self, path, body, media_type="application/json"):
        token = open(f"{self.folder}/data/keys/admin-token").read().strip()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=7200)
        connection.request("POST", path, body=body, encode_chunked=not isinstance(body, (bytes, str)),
                           headers={"Authorization": f"Bearer {token}", "Content-Type": media_type,
                                    **({} if isinstance(body, (bytes, str)) else {"Transfer-Encoding": "chunked"})})
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status < 300, text
        return json.loads(text or b"null")

    def indexed(self, of):
        return next((s["as_of"] for s in catalogue.ask(self.url, "/api/v1/search?size=0")["sources"] if s["node"] == of), 0)


class Proxy:
    """Passes connections on, and counts requests and bytes. Requests whose target has `refused` in it are answered with 404."""

    def __init__(self, to, refused=None):
        self.to, self.refused, self.requests, self.up, self.down = to, refused, [], 0, 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        server = socket.create_connection(("127.0.0.1", self.to))
        threading.Thread(target=self.back, args=(server, client), daemon=True).start()
        with contextlib.suppress(OSError):
            while data := client.recv(1 << 16):
                self.up += len(data)
                if request := re.match(rb"(?:GET|POST) (\S+) HTTP", data):
                    self.requests.append(request[1].decode())
                    if self.refused and self.refused in self.requests[-1]:
                        client.sendall(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
                        continue
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)

    def back(self, server, client):
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 18):
                self.down += len(data)
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)


def follow(origin, size, refused):
    proxy = Proxy(origin.port, refused)
    node = Node("europe", [("japan", proxy.url, origin.key)])
    own = catalogue.Own(node.process.pid)
    try:
        while catalogue.ask(node.url, "/api/v1/peers")[0]["held"] < size:
            time.sleep(0.02)
        held, requests, down, up = time.monotonic() - node.begun, list(proxy.requests), proxy.down, proxy.up
        while node.indexed("japan") < size:
            time.sleep(0.1)
        log = [r for r in requests if r.startswith("/log/") or r.startswith("/federation/")]
        return {"requests": len(log), "mib": round(down / 2**20, 1), "sent_mib": round(up / 2**20, 2), "held_s": round(held, 1),
                "searchable_s": round(time.monotonic() - node.begun, 1), "peak_mib": catalogue.status(node.process.pid, "VmHWM"), "own_mib": own.mib,
                "cpu_s": round(catalogue.cpu(node.process.pid), 1)}
    finally:
        proxy.listener.close()
        node.end()


def oai(origin, prefix):
    begun, requests, size, records, query = time.monotonic(), 0, 0, 0, f"verb=ListRecords&metadataPrefix={prefix}"
    while query:
        with urllib.request.urlopen(f"{origin.url}/oai?{query}") as answer:
            body = answer.read()
        requests, size, records = requests + 1, size + len(body), records + body.count(b"<record>")
        token = re.search(rb"<resumptionToken[^>]*>([^<]+)<", body)
        query = token and "verb=ListRecords&resumptionToken=" + urllib.parse.quote(token[1].decode())
    return {"records": records, "requests": requests, "mib": round(size / 2**20, 1), "s": round(time.monotonic() - begun, 1)}


def bootstrap(times, ways):
    crates = catalogue.crates()
    for multiple in times:
        origin = Node("japan")
        memory = catalogue.Own(origin.process.pid)
        try:
            begun = time.monotonic()
            report = origin.post("/api/v1/sources/copies/import", catalogue.lines(crates, multiple), "application/x-ndjson")
            stored, size = time.monotonic() - begun, catalogue.ask(origin.url, "/federation/v1/node")["log_size"]
            # The origin's own work of taking records in is to be over, as far as it can be.
            while origin.indexed("japan") < size:
                time.sleep(0.5)
            own = {"stored_s": round(stored, 1), "searchable_s": round(time.monotonic() - begun, 1), "cpu_s": round(catalogue.cpu(origin.process.pid), 1),
                   "peak_mib": catalogue.status(origin.process.pid, "VmHWM"), "own_mib": memory.mib, "disk_mib": catalogue.disk(f"{origin.folder}/data")}
            print(json.dumps({"records": report["stored"], "entries": size, "origin": own}), flush=True)
            measures = {"stream": lambda: follow(origin, size, None), "tiles": lambda: follow(origin, size, "/federation/v1/log?"),
                        "oai_dc": lambda: oai(origin, "oai_dc"), "oai_datacite": lambda: oai(origin, "oai_datacite")}
            for way in ways:
                print(json.dumps({way: measures[way]()}), flush=True)
        finally:
            origin.end()


def propagation(count):
    text = catalogue.crates()[0][1]
    nodes = [Node(name) for name in ("europe", "japan", "australia")]
    try:
        for node in nodes:
            node.stop()
        for node in nodes:
            node.start([(n.name, n.url, n.key) for n in nodes if n is not node])
        origin, others, delays = nodes[0], nodes[1:], []
        time.sleep(3)
        for number in range(count + 5):
            word = f"propagation{number:05}x"
            document = json.loads(catalogue.copy(text, number + 1))
            next(e for e in document["@graph"] if e["@id"] == catalogue.root_of(document))["name"] = word
            lines = json.dumps({"path": "a", "crate": json.dumps(document)}) + '\n{"complete": true}\n'
            found = {}

            def wait(node):
                connection = http.client.HTTPConnection("127.0.0.1", node.port)
                while True:
                    connection.request("GET", f"/api/v1/search?q={word}&size=0")
                    if json.loads(connection.getresponse().read())["total"]:
                        found[node.name] = time.monotonic() - begun
                        return
                    time.sleep(0.005)

            begun = time.monotonic()
            threads = [threading.Thread(target=wait, args=(node,)) for node in others]
            [thread.start() for thread in threads]
            origin.post(f"/api/v1/sources/s{number}/import", lines.encode(), "application/x-ndjson")
            [thread.join() for thread in threads]
            # The first few open connections and caches.
            delays += list(found.values()) if number >= 5 else []
        delays.sort()
        print(json.dumps({"publications": count, "measured": len(delays), "p50_ms": round(1000 * statistics.median(delays)),
                          "p90_ms": round(1000 * delays[int(len(delays) * 0.9)]), "p99_ms": round(1000 * delays[int(len(delays) * 0.99)]),
                          "max_ms": round(1000 * delays[-1])}))
    finally:
        for node in nodes:
            node.end()


def main():
    value = lambda name, default: sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default
    print("load average:", open("/proc/loadavg").read().split()[:3], file=sys.stderr)
    if "propagation" in sys.argv:
        propagation(int(value("--count", "300")))
    else:
        bootstrap([int(one) for one in value("--times", "1,80").split(",")], value("--ways", "stream,tiles,oai_dc,oai_datacite").split(","))
    print("load average:", open("/proc/loadavg").read().split()[:3], file=sys.stderr)


if __name__ == "__main__":
    main()
