"""Compares what a node finds in crates with what the published SHACL shapes find.

Usage: shacl_compare.py SHAPES CONTEXTS FINDINGS SECONDS

CONTEXTS is a folder with the JSON-LD contexts that crates name (by the end of their address); nothing is fetched. FINDINGS has
a line {"file", "rules"} for each crate: its path, and the rules that the node finds broken. Crates are taken in an order that
mixes collections, until the time is over. The last line printed is the report, as JSON.
"""

import json
import random
import sys
import time
from collections import defaultdict
from pathlib import Path

from pyshacl import validate
from rdflib import RDF, Graph, Namespace

SH = Namespace("http://www.w3.org/ns/shacl#")

# Path of a shape to the rules that say the same: what is broken when there are too few values, and when there are too many or
# they are of another type.
RULES = {
    ("Dataset", "name"): ("crate.name.missing", "crate.name.several"),
    ("Dataset", "description"): ("crate.description.missing", "crate.description.several"),
    ("Dataset", "datePublished"): ("crate.date.missing", "crate.datepublished.several"),
    ("Dataset", "license"): ("crate.license.missing", "crate.license.several"),
    ("Dataset", "author"): ("crate.author.missing", None),
    ("Dataset", "publisher"): ("crate.publisher.missing", "crate.publisher.several"),
    ("Dataset", "about"): ("crate.taxon.missing", None),
    ("Dataset", "measurementMethod"): ("crate.method.missing", None),
    ("Dataset", "thumbnailUrl"): ("crate.thumbnail.missing", None),
    ("Dataset", "identifier"): ("crate.identifier.missing", "crate.identifier.several"),
    ("Person", "name"): ("person.name.missing", "person.name.several"),
    ("Person", "affiliation"): ("person.affiliation.missing", None),
    ("Organization", "name"): ("organization.name.missing", "organization.name.several"),
    ("DefinedTerm", "name"): ("term.name.missing", "term.name.several"),
    ("BioSample", "name"): ("crate.sample.name.missing", "crate.sample.name.several"),
    ("BioSample", "description"): ("crate.sample.description.missing", "crate.sample.description.several"),
    ("BioSample", "taxonomicRange"): ("crate.sample.term.missing", None),
    ("LabProtocol", "name"): ("crate.protocol.name.missing", "crate.protocol.name.several"),
    ("LabProtocol", "description"): ("crate.protocol.description.missing", "crate.protocol.description.several"),
    ("LabProtocol", "labEquipment"): ("crate.protocol.equipment.missing", None),
    ("LabProtocol", "measurementTechnique"): ("crate.protocol.term.missing", None),
    ("QuantitativeValue", "value"): ("quantity.value.missing", "quantity.value.several"),
    ("QuantitativeValue", "unitCode"): ("quantity.unitcode.missing", "quantity.unitcode.several"),
    ("QuantitativeValue", "unitText"): ("quantity.unittext.missing", "quantity.unittext.several"),
    ("Grant", "name"): ("grant.name.missing", "grant.name.several"),
    ("ScholarlyArticle", "name"): ("article.name.missing", "article.name.several"),
    ("ScholarlyArticle", "datePublished"): ("article.date.missing", "article.date.several"),
    # Its shape never fires: it is for dwc:Taxon, and RO-Crate's Taxon is schema.org's.
    ("Taxon", "scientificName"): ("taxon.name.missing", "taxon.name.several"),
}
COMPARED = {rule for pair in RULES.values() for rule in pair if rule}


def local(term):
    return str(term).rstrip("/").replace("#", "/").rsplit("/", 1)[-1]


def contexts(folder):
    return {path.name: json.loads(path.read_text())["@context"] for path in Path(folder).iterdir() if path.suffix == ".jsonld"}


def inlined(context, known):
    """A context without addresses."""
    parts = context if isinstance(context, list) else [context]
    result = []
    for part in parts:
        if isinstance(part, str):
            name = "gide-search-context.jsonld" if "gide" in part else "ro-crate-1.1.jsonld" if "/1.1" in part else "ro-crate-1.2.jsonld"
            part = known[name]
        result.extend(part if isinstance(part, list) else [part])
    return [inlined(part, known)[0] if isinstance(part, str) else part for part in result]


def graph_of(file, known):
    document = json.loads(Path(file).read_text())
    document["@context"] = inlined(document.get("@context"), known)
    return Graph().parse(data=json.dumps(document), format="json-ld", base="https://example.org/crate/")


def broken(file, shapes, classes, known):
    """The rules that the shapes find broken, and what they find that no rule is about."""
    _, results, _ = validate(graph_of(file, known), shacl_graph=shapes, inference="none", advanced=False, meta_shacl=False)
    rules, others = set(), set()
    for result in results.subjects(RDF.type, SH.ValidationResult):
        path = local(results.value(result, SH.resultPath))
        kind = classes[str(results.value(result, SH.sourceShape))]
        few = results.value(result, SH.sourceConstraintComponent) == SH.MinCountConstraintComponent
        rule = RULES.get((kind, path), (None, None))[0 if few else 1]
        severity = local(results.value(result, SH.resultSeverity))
        (rules.add(rule) if rule else others.add(f"{severity}: {kind} {path} {'few' if few else 'many'}"))
    return rules, others


def property_classes(shapes):
    """Of each property shape, the class it is about; blank nodes keep their names, for the graph is validated as it is."""
    classes = {}
    for shape, target in shapes.subject_objects(SH.targetClass):
        for part in shapes.objects(shape, SH.property):
            classes[str(part)] = local(target)
    return classes


def main():
    shapes_file, folder, findings, seconds = sys.argv[1:]
    shapes, known = Graph().parse(shapes_file), contexts(folder)
    classes = property_classes(shapes)
    crates = [json.loads(line) for line in Path(findings).read_text().splitlines()]
    random.Random(7).shuffle(crates)
    end = time.monotonic() + float(seconds)
    report = {"crates": len(crates), "compared": 0, "agreed": 0}
    only_shapes, only_ours, unjudged, counts = defaultdict(list), defaultdict(list), defaultdict(int), defaultdict(int)
    for crate in crates:
        if time.monotonic() > end:
            break
        theirs, others = broken(crate["file"], shapes, classes, known)
        ours = set(crate["rules"]) & COMPARED
        report["compared"] += 1
        report["agreed"] += theirs == ours
        for rule in theirs:
            counts[rule] += 1
        for rule in theirs - ours:
            only_shapes[rule].append(crate["file"])
        for rule in ours - theirs:
            only_ours[rule].append(crate["file"])
        for other in others:
            unjudged[other] += 1
    report |= {"shapes": counts, "only_shapes": only_shapes, "only_ours": only_ours, "unjudged": unjudged}
    print(json.dumps(report))


main()
