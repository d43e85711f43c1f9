"""What the proof of one file costs at a node, for a version with very many files.

usage: proofs.py [--side 1000]

Needs a built heliograph (PROGRAM). Deposits an image of side x side chunks of one byte, each a file of its own (a million by default,
some 5 GB of disk with blocks and index nodes), and asks for proofs: the first one after a start, the first one once the list of files
has been read, and many at random. Prints seconds, bytes and the node's memory as one JSON object.
"""
import io, json, random, re, statistics, sys, tarfile, time, urllib.parse, urllib.request
import federation

IMAGE = "grid.ome.zarr"


def documents(side):
    axes = [{"name": "y", "type": "space"}, {"name": "x", "type": "space"}]
    scale = [{"type": "scale", "scale": [1.0, 1.0]}]
    scales = [{"axes": axes, "name": "grid", "datasets": [{"path": "0", "coordinateTransformations": scale}]}]
    group = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": "0.5", "multiscales": scales}}}
    array = {"zarr_format": 3, "node_type": "array", "shape": [side, side], "data_type": "uint8", "fill_value": 0, "attributes": {},
             "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1, 1]}}, "dimension_names": ["y", "x"],
             "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}}, "codecs": [{"name": "bytes"}]}
    return {"zarr.json": group, "0/zarr.json": array}


def members(side):
    for name, document in documents(side).items():
        yield name, json.dumps(document).encode()
    for y in range(side):
        for x in range(side):
            yield f"0/c/{y}/{x}", bytes([(y + x) % 255 + 1])


def archive(side):
    """A tar in pieces of a mebibyte."""
    pieces = io.BytesIO()
    for name, content in members(side):
        head = tarfile.TarInfo(f"{IMAGE}/{name}")
        head.size = len(content)
        pieces.write(head.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % 512))
        if pieces.tell() > 1 << 20:
            yield pieces.getvalue()
            pieces = io.BytesIO()
    yield pieces.getvalue() + bytes(10240)


def crate(side):
    taxon, method = {"@id": "http://purl.obolibrary.org/obo/NCBITaxon_9606"}, {"@id": "http://purl.obolibrary.org/obo/FBbi_00000246"}
    licence, person = {"@id": "https://creativecommons.org/publicdomain/zero/1.0/"}, {"@id": "https://orcid.org/0000-0002-1825-0097"}
    return {"@context": "https://w3id.org/ro/crate/1.2/context", "@graph": [
        {"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"},
         "conformsTo": {"@id": "https://w3id.org/ro/crate/1.2"}},
        {"@id": "./", "@type": "Dataset", "name": f"A grid of {side} by {side} chunks", "description": "Chunks of one byte.",
         "datePublished": "2026-01-01", "license": licence, "author": [person], "about": taxon, "measurementMethod": method, "hasPart": [{"@id": f"{IMAGE}/"}]},
        {"@id": f"{IMAGE}/", "@type": "Dataset", "name": "grid"},
        {**taxon, "@type": "Taxon", "name": "Homo sapiens"}, {**method, "@type": "DefinedTerm", "name": "fluorescence microscopy"},
        {**person, "@type": "Person", "name": "Josiah Carberry"}]}


def memory(node):
    status = open(f"/proc/{node.process.pid}/status").read()
    return {name: int(re.search(rf"Vm{name}:\s+(\d+)", status)[1]) >> 10 for name in ("RSS", "HWM")}


def proof(node, dataset, path):
    began = time.perf_counter()
    query = urllib.parse.quote(path)
    body = urllib.request.urlopen(f"{node.url}/api/v1/datasets/{dataset}/versions/1/proof?path={query}", timeout=600).read()
    return time.perf_counter() - began, len(body), len(json.loads(body)["file"]["proof"])


def main():
    side = int(sys.argv[sys.argv.index("--side") + 1]) if "--side" in sys.argv else 1000
    node = federation.Node("proofs")
    try:
        began = time.perf_counter()
        draft = node.post("/api/v1/deposits", json.dumps(crate(side)))["id"]
        request = urllib.request.Request(f"{node.url}/api/v1/deposits/{draft}/archive?name=grid.tar", data=archive(side), method="PUT")
        request.add_header("Authorization", "Bearer " + open(f"{node.folder}/data/keys/admin-token").read().strip())
        request.add_header("Content-Type", "application/x-tar")
        urllib.request.urlopen(request, timeout=7200).read()
        sent = time.perf_counter() - began
        dataset = node.post(f"/api/v1/deposits/{draft}/publish", "")["id"]
        published = time.perf_counter() - began - sent
        node.stop()
        node.start(())
        path = lambda: f"{IMAGE}/0/c/{random.randrange(side)}/{random.randrange(side)}"
        before = memory(node)
        first, size, hashes = proof(node, dataset, path())
        after = memory(node)
        urllib.request.urlopen(f"{node.url}/data/{dataset}/v1/{path()}").read()
        others = [proof(node, dataset, path()) for _ in range(500)]
        seconds = sorted(time for time, _, _ in others)
        print(json.dumps({"files": side * side + 3, "unpack_s": round(sent, 1), "publish_s": round(published, 1),
                          "first_s": round(first, 3), "median_ms": round(statistics.median(seconds) * 1000, 2),
                          "p99_ms": round(seconds[-5] * 1000, 2), "bytes": size, "hashes": hashes, "memory_mib_before": before,
                          "memory_mib_after_first": after, "memory_mib_after_all": memory(node)}))
    finally:
        node.end()


main()
