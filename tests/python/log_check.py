"""Checks a node's whole catalogue with nothing but its address and its public key, from docs/FEDERATION.md alone.

usage: log_check.py URL PUBLIC_KEY [--bytes] [--witness KEY]...
       log_check.py URL PUBLIC_KEY --file DATASET VERSION PATH

Reads the signed checkpoint and every entry, rebuilds the Merkle tree and every hash tile, checks that each entry is canonical
and follows from the ones before it, and fetches every crate and every list of files that the entries promise; with --bytes every
file too, with --witness that the node of that public key has cosigned the checkpoint. With --file it fetches one file and its
proof, and checks the file up to the signed checkpoint; the node may be any that has the file, the key is that of the node that
published it. The last line is JSON: what was checked, or {"error", "where"}. The exit code is 0 only when all of it holds.
"""
import argparse, base64, hashlib, json, re, struct, sys, urllib.error, urllib.parse, urllib.request

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
import zstandard

OPS = {"publish", "revise", "catalogue", "withdraw"}
FIELDS = {"publish": {"crate", "inventory", "content_root"}, "revise": {"crate", "inventory", "content_root"},
          "catalogue": {"crate", "source"}, "withdraw": {"reason"}}
TILE = 256


class Wrong(Exception):
    def __init__(self, where, what):
        super().__init__(what)
        self.where = where


def check(truth, where, what):
    if not truth:
        raise Wrong(where, what)


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


class Node:
    def __init__(self, url):
        self.url = url.rstrip("/")

    def get(self, path, body=None):
        headers = {"Content-Type": "application/json"} if body is not None else {}
        request = urllib.request.Request(self.url + path, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read()
        except (urllib.error.URLError, OSError) as error:
            raise Wrong(path, f"no answer: {error}") from error


def read_key(text):
    """`name+<8 hex digits>+<base64 of 0x01 and the 32 bytes of the key>`"""
    name, digits, encoded = text.split("+", 2)
    raw = base64.b64decode(encoded, validate=True)
    check(len(raw) == 33 and raw[0] == 1, "key", "not an Ed25519 key of this form")
    check(sha(name.encode(), b"\n", raw)[:4].hex() == digits, "key", "its digits do not fit it")
    return name, bytes.fromhex(digits), Ed25519PublicKey.from_public_bytes(raw[1:])


def check_witness(key, text, lines):
    """A cosignature: base64 of the id, the time in 64 bits, the signature."""
    name, _, public = read_key(key)
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    key_id = sha(name.encode(), b"\n\x04", raw)[:4]
    for signer, signature in lines:
        if signer == name and signature[:4] == key_id:
            check(len(signature) == 76, "checkpoint", f"the cosignature of {name} has another length")
            time = struct.unpack(">Q", signature[4:12])[0]
            try:
                public.verify(signature[12:], f"cosignature/v1\ntime {time}\n{text}".encode())
            except InvalidSignature:
                raise Wrong("checkpoint", f"the cosignature of {name} does not hold") from None
            return
    raise Wrong("checkpoint", f"{name} has not cosigned it")


def checkpoint(note, key, witnesses=()):
    """The size and root that a note tells, if the key signed it and the witnesses cosigned it."""
    name, key_id, public = read_key(key)
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    lines = []
    for line in signatures.rstrip("\n").split("\n"):
        parts = re.fullmatch(r"\u2014 (\S+) ([A-Za-z0-9+/]+={0,2})", line)
        check(parts and len(parts[2]) % 4 == 0, "checkpoint", "a line of signature cannot be read")
        lines.append((parts[1], base64.b64decode(parts[2])))
    for signer, signature in lines:
        if signer == name and signature[:4] == key_id:
            try:
                public.verify(signature[4:], text.encode())
            except InvalidSignature:
                raise Wrong("checkpoint", "its signature is not of the key given") from None
            break
    else:
        raise Wrong("checkpoint", "it is not signed by the key given")
    check(text.count("\n") >= 3, "checkpoint", "it is too short")
    origin, size, root = text.split("\n")[:3]
    check(origin == name, "checkpoint", f"it is of the log '{origin}'")
    check(re.fullmatch(r"0|[1-9][0-9]*", size), "checkpoint", "its size is no number")
    for witness in witnesses:
        check_witness(witness, text, lines)
    return int(size), base64.b64decode(root, validate=True)


def tile_name(number):
    """1234067 is x001/x234/067."""
    groups = []
    while True:
        number, rest = divmod(number, 1000)
        groups.append(f"{rest:03}")
        if not number:
            break
    first, *others = groups
    return "/".join([f"x{group}" for group in reversed(others)] + [first])


def tiles(count):
    """Number and width of the tiles that hold so many."""
    for number in range(-(-count // TILE)):
        yield number, min(TILE, count - number * TILE)


def tile_path(kind, number, width):
    return f"/log/tile/{kind}/{tile_name(number)}" + (f".p/{width}" if width < TILE else "")


def entries(node, size):
    for number, width in tiles(size):
        path = tile_path("entries", number, width)
        bundle, at = node.get(path), 0
        for place in range(width):
            index = number * TILE + place
            check(at + 2 <= len(bundle), f"entry {index}", "its bundle is cut short")
            (length,) = struct.unpack_from(">H", bundle, at)
            entry = bundle[at + 2:at + 2 + length]
            check(len(entry) == length, f"entry {index}", "its bundle is cut short")
            at += 2 + length
            yield index, entry
        check(at == len(bundle), path, "bytes follow the last entry")


def levels(leaves):
    """The hashes of each level that tiles are made of: a level has one hash for each 256 of the level below."""
    level = leaves
    while level:
        yield level
        level = [root(level[at:at + TILE]) for at in range(0, len(level) - TILE + 1, TILE)]


def root(hashes):
    """RFC 6962, section 2.1, over hashes of leaves or of complete subtrees."""
    if not hashes:
        return sha()
    while len(hashes) & (len(hashes) - 1) == 0 and len(hashes) > 1:
        hashes = [sha(b"\1", one, other) for one, other in zip(hashes[::2], hashes[1::2])]
    if len(hashes) == 1:
        return hashes[0]
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return sha(b"\1", root(hashes[:half]), root(hashes[half:]))


def check_tiles(node, leaves):
    seen = 0
    for level, hashes in enumerate(levels(leaves)):
        for number, width in tiles(len(hashes)):
            path = tile_path(level, number, width)
            check(node.get(path) == b"".join(hashes[number * TILE:number * TILE + width]), path, "other hashes than the entries give")
            seen += 1
    return seen


def read_entry(index, raw, heads):
    where = f"entry {index}"
    try:
        entry = json.loads(raw)
    except ValueError:
        raise Wrong(where, "it is no JSON") from None
    check(isinstance(entry, dict), where, "it is no object")
    canonical = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    check(raw == canonical, where, "it is not in canonical form")
    op, dataset = entry.get("op"), entry.get("dataset")
    check(op in OPS, where, f"it does '{op}'")
    check(FIELDS[op] <= entry.keys(), where, "a field is missing")
    check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", entry["time"]), where, "its time is none")
    before = heads.get(dataset)
    check(entry.get("previous") == (before and before[0]), where, "it does not name the entry before it about the same dataset")
    if before is None:
        check(op in ("publish", "catalogue") and entry["version"] == 1, where, "it is no beginning")
    elif op == "withdraw":
        check(entry["version"] == before[1]["version"], where, "it withdraws another version than the last")
    else:
        check(entry["version"] > before[1]["version"], where, "its version does not follow")
    heads[dataset] = (index, entry)
    return entry


def crates(node, digests):
    """Bytes by digest, of all that the node has."""
    for at in range(0, len(digests), 500):
        asked = set(digests[at:at + 500])
        stream = node.get("/federation/v1/crates", json.dumps({"digests": sorted(asked)}).encode())
        try:
            data = zstandard.ZstdDecompressor(max_window_size=8 << 20).decompressobj().decompress(stream)
        except zstandard.ZstdError as error:
            raise Wrong("crates", f"the stream cannot be decompressed: {error}") from None
        while data:
            head, _, data = data.partition(b"\n")
            parts = re.fullmatch(rb"([0-9a-f]{64}) (-|[0-9]+)", head)
            check(parts, "crates", "the head of a crate cannot be read")
            digest, length = parts[1].decode(), parts[2].decode()
            check(digest in asked, digest, "a crate that was not asked for, or a second one")
            asked.discard(digest)
            if length == "-":
                yield digest, None
                continue
            body, data = data[:int(length)], data[int(length):]
            check(len(body) == int(length) and data[:1] == b"\n", digest, "the stream of crates is cut short")
            data = data[1:]
            check(sha(body).hex() == digest, digest, "a crate of another digest")
            yield digest, body
        check(not asked, "crates", f"no answer for {len(asked)} digests")


def climb(leaf, index, size, path):
    """RFC 6962, section 2.1.1, read upwards."""
    if size <= 1:
        check(size == 1 and not path, "proof", "it is too long")
        return leaf
    check(path and index < size, "proof", "it is too short")
    half, (*below, last) = 1 << (size - 1).bit_length() - 1, path
    if index < half:
        return sha(b"\1", climb(leaf, index, half, below), last)
    return sha(b"\1", last, climb(leaf, index - half, size - half, below))


def check_proof(node, key, dataset, version, path):
    """What a node proves about one file: its size and digest, and the entry that covers them."""
    query = urllib.parse.urlencode({"path": path})
    proof = json.loads(node.get(f"/api/v1/datasets/{dataset}/versions/v{version}/proof?{query}"))
    hashes = lambda part: [bytes.fromhex(digest) for digest in part["proof"]]
    size, root = checkpoint(proof["checkpoint"], key)
    entry, file = proof["entry"], proof["file"]
    raw = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    check(climb(sha(b"\0", raw), proof["index"], size, hashes(proof)) == root, "proof", "the entry is not in the signed log")
    check((entry["dataset"], entry["version"]) == (dataset, version), "proof", "it is of another version")
    leaf = sha(b"\0", f"{file['path']}\0{file['size']}\0{file['sha256']}".encode())
    covered = climb(leaf, file["index"], file["files"], hashes(file)).hex() == entry["content_root"]
    check(covered and file["path"] == path, "proof", "the file is not one of the version's")
    return file, entry


def check_one_file(node, key, dataset, version, path):
    file, entry = check_proof(node, key, dataset, version, path)
    body = node.get(f"/data/{dataset}/v{version}/{urllib.parse.quote(path)}")
    check(len(body) == file["size"] and sha(body).hex() == file["sha256"], path, "other bytes than were signed")
    return {"path": path, "size": file["size"], "sha256": file["sha256"], "published": entry["time"]}


def check_files(node, key, entry, with_bytes):
    base = f"/api/v1/datasets/{entry['dataset']}/versions/v{entry['version']}"
    manifest = json.loads(node.get(f"{base}/manifest"))
    leaves = [sha(b"\0", f"{f['path']}\0{f['size']}\0{f['sha256']}".encode()) for f in manifest]
    check([f["path"].encode() for f in manifest] == sorted(f["path"].encode() for f in manifest), base, "files are not in order")
    check(root(leaves).hex() == entry["content_root"], base, "the list of files is not the one that was signed")
    middle = manifest[len(manifest) // 2]
    proven, _ = check_proof(node, key, entry["dataset"], entry["version"], middle["path"])
    check({**middle, **proven} == proven, base, "the proof of a file tells of another one")
    for file in manifest if with_bytes else []:
        path = f"/data/{entry['dataset']}/v{entry['version']}/{urllib.parse.quote(file['path'])}"
        body = node.get(path)
        check(len(body) == file["size"] and sha(body).hex() == file["sha256"], path, "other bytes than were signed")
    return len(manifest)


def main(url, key, with_bytes, witnesses):
    node = Node(url)
    size, signed = checkpoint(node.get("/log/checkpoint").decode(errors="replace"), key, witnesses)
    heads, leaves, all_entries = {}, [], []
    for index, raw in entries(node, size):
        leaves.append(sha(b"\0", raw))
        all_entries.append((index, raw))
    check(root(leaves) == signed, "checkpoint", "the entries are not those that were signed")
    tiles_seen = check_tiles(node, leaves)
    parsed = [read_entry(index, raw, heads) for index, raw in all_entries]

    gone = {dataset for dataset, (_, entry) in heads.items() if entry["op"] == "withdraw"}
    live = [entry for entry in parsed if entry["dataset"] not in gone]
    wanted = sorted({entry["crate"] for entry in live})
    held = 0
    for digest, body in crates(node, wanted):
        check(body is not None, digest, "the node does not give a crate of a dataset that it shows")
        held += 1
    published = [entry for entry in live if entry["op"] in ("publish", "revise")]
    files = sum(check_files(node, key, entry, with_bytes) for entry in published)
    return {"entries": size, "tiles": tiles_seen, "datasets": len(heads) - len(gone), "withdrawn": len(gone), "crates": held,
            "versions": len(published), "files": files}


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("url")
    options.add_argument("key")
    options.add_argument("--bytes", action="store_true")
    options.add_argument("--witness", action="append", default=[])
    options.add_argument("--file", nargs=3, metavar=("DATASET", "VERSION", "PATH"))
    asked = options.parse_args()
    try:
        if asked.file:
            dataset, version, path = asked.file
            print(json.dumps(check_one_file(Node(asked.url), asked.key, dataset, int(version.lstrip("v")), path)))
        else:
            print(json.dumps(main(asked.url, asked.key, asked.bytes, asked.witness)))
    except Wrong as wrong:
        print(json.dumps({"error": str(wrong), "where": wrong.where}))
        sys.exit(1)
