"""Harvests everything with two independent clients, with writes in between where the caller makes them.

usage: oai_harvest.py URL PREFIX [--set SPEC] [--from DATE] [--pause]

With --pause it prints `paused` after the first page and goes on when a line comes on standard input.
The last line is JSON: for each client, identifiers with whether each is deleted, in the order they came.
"""
import json, sys, urllib.parse, urllib.request, xml.etree.ElementTree as tree

from oaipmh_scythe import Scythe
from sickle import Sickle

OAI = "{http://www.openarchives.org/OAI/2.0/}"


def raw_pages(url, prefix, extra, pause):
    """By hand, so that a pause between two pages is possible."""
    question = {"verb": "ListRecords", "metadataPrefix": prefix, **extra}
    first = True
    while True:
        with urllib.request.urlopen(url + "?" + urllib.parse.urlencode(question), timeout=60) as answer:
            document = tree.fromstring(answer.read())
        for record in document.iter(f"{OAI}record"):
            header = record.find(f"{OAI}header")
            yield header.findtext(f"{OAI}identifier"), header.get("status") == "deleted"
        token = document.find(f".//{OAI}resumptionToken")
        if token is None or not token.text:
            return
        if first and pause:
            print("paused", flush=True)
            sys.stdin.readline()
        first = False
        question = {"verb": "ListRecords", "resumptionToken": token.text}


def main(url, prefix, extra, pause):
    found = {"raw": list(raw_pages(url, prefix, extra, pause))}
    arguments = {"metadataPrefix": prefix, **extra}
    records = Sickle(url).ListRecords(**arguments)
    found["sickle"] = [(record.header.identifier, bool(record.header.deleted)) for record in records]
    with Scythe(url) as scythe:
        chosen = {"set_": extra["set"]} if "set" in extra else {}
        since = {"from_": extra["from"]} if "from" in extra else {}
        records = scythe.list_records(metadata_prefix=prefix, **chosen, **since)
        found["scythe"] = [(record.header.identifier, bool(record.header.deleted)) for record in records]
        found["sets"] = [one.setSpec for one in scythe.list_sets()]
        found["formats"] = [one.metadataPrefix for one in scythe.list_metadata_formats()]
        found["name"] = scythe.identify().repositoryName
    print(json.dumps(found))


if __name__ == "__main__":
    extra = {name[2:]: sys.argv[sys.argv.index(name) + 1] for name in ("--set", "--from") if name in sys.argv}
    main(sys.argv[1], sys.argv[2], extra, "--pause" in sys.argv)
