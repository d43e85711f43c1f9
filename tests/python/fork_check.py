"""Checks the forks that a node tells of, from docs/FEDERATION.md alone: usage: fork_check.py URL PUBLIC_KEY...

Each fork of a log whose key is given must be two checkpoints that the key signed and that contradict each other. The last line is
JSON: {"proven": [{"log", "size"}, ...]}, or {"error", "where"}. The exit code is 0 only when all proofs hold.
"""
import base64, json, sys

from cryptography.exceptions import InvalidSignature
from log_check import Node, Wrong, check, read_key, sha


def signed(note, keys, where):
    """Size and root of a checkpoint, when one of these keys has signed it."""
    text, _, lines = note.rpartition("\n\n")
    text += "\n"
    for key in keys:
        name, key_id, public = read_key(key)
        for line in lines.rstrip("\n").split("\n"):
            _, signer, encoded = line.split(" ")
            signature = base64.b64decode(encoded, validate=True)
            if (signer, signature[:4]) == (name, key_id):
                try:
                    public.verify(signature[4:], text.encode())
                except InvalidSignature:
                    raise Wrong(where, "a signature does not hold") from None
                log, size, root = text.split("\n")[:3]
                check(log == name, where, "it is of another log")
                return int(size), base64.b64decode(root, validate=True)
    raise Wrong(where, "it is not signed by the keys given")


def extends(first, first_root, second, second_root, proof):
    """RFC 9162, section 2.1.4.2."""
    if first == second:
        return not proof and first_root == second_root
    path = ([first_root] if first & (first - 1) == 0 else []) + proof
    if not 0 < first < second or not path:
        return False
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    one = two = path[0]
    for hash in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            one, two = sha(b"\1", hash, one), sha(b"\1", hash, two)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            two = sha(b"\1", two, hash)
        at, last = at >> 1, last >> 1
    return one == first_root and two == second_root and last == 0


def main(url, *keys):
    proven = []
    for fork in json.loads(Node(url).get("/federation/v1/forks"))["forks"]:
        where, of_log = f"{fork['log']} at {fork['size']}", [key for key in keys if key.startswith(fork["log"] + "+")]
        check(fork["size"] > 0 and fork["sides"][0]["root"] != fork["sides"][1]["root"], where, "there is no contradiction")
        for side in fork["sides"]:
            size, root = signed(side["note"], of_log, where)
            proof = [bytes.fromhex(hash) for hash in side["proof"]]
            check(extends(fork["size"], bytes.fromhex(side["root"]), size, root, proof), where, "a proof does not fit its checkpoint")
        proven.append({"log": fork["log"], "size": fork["size"]})
    return {"proven": proven}


if __name__ == "__main__":
    try:
        print(json.dumps(main(*sys.argv[1:])))
    except Wrong as wrong:
        print(json.dumps({"error": str(wrong), "where": wrong.where}))
        sys.exit(1)
