"""Writes a made-up taxonomy of any size to standard output: as many terms, synonyms and levels as the NCBI Taxonomy has.

    python3 taxonomy.py 2700000 obo > taxonomy.obo
    python3 taxonomy.py 2700000 owl | heliograph ontology load /dev/stdin --name ncbitaxon
"""

import random
import sys

SYLLABLES = "ba co di fu ge ha ki lo mi nu pa ra se ti vo xe ya zo al en or us is um".split()


def word(rng, least, most):
    return "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(least, most)))


def terms(count):
    """Id, label, synonyms with their scope, and parent of each term."""
    rng = random.Random(1)
    genera = [word(rng, 3, 5).capitalize() for _ in range(max(1, count // 25))]
    epithets = [word(rng, 3, 5) for _ in range(max(1, min(count, 60000)))]
    for number in range(1, count + 1):
        # A parent with a much smaller number keeps the tree as deep as the real one: about thirty levels.
        parent = None if number == 1 else max(1, int(number * rng.uniform(0.3, 0.75)))
        if number <= len(genera):
            label = genera[number - 1]
        else:
            label = f"{rng.choice(genera)} {rng.choice(epithets)}"
            if rng.random() < 0.4:
                label += f" sp. {word(rng, 1, 2).upper()}-{rng.randint(1, 99999)}"
        synonyms = []
        if rng.random() < 0.3:
            synonyms.append(("EXACT", f"{word(rng, 2, 4)} {word(rng, 2, 3)}"))
        if rng.random() < 0.25:
            synonyms.append(("RELATED", f"{label} {word(rng, 2, 3).capitalize()}, {rng.randint(1760, 2025)}"))
        yield number, label, synonyms, parent


def obo(count, out):
    out.write("format-version: 1.2\ndata-version: made-up\nontology: ncbitaxon\n")
    for number, label, synonyms, parent in terms(count):
        out.write(f"\n[Term]\nid: NCBITaxon:{number}\nname: {label}\nnamespace: ncbi_taxonomy\n")
        for scope, name in synonyms:
            out.write(f'synonym: "{name}" {scope} []\n')
        out.write("xref: GC_ID:1\n")
        if parent:
            out.write(f"is_a: NCBITaxon:{parent}\n")


def owl(count, out):
    out.write(
        '<?xml version="1.0"?>\n<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        ' xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#" xmlns:owl="http://www.w3.org/2002/07/owl#"'
        ' xmlns:i="http://www.geneontology.org/formats/oboInOwl#">\n'
        '<owl:Ontology rdf:about="http://purl.obolibrary.org/obo/ncbitaxon.owl"/>\n'
    )
    base = "http://purl.obolibrary.org/obo/NCBITaxon_"
    for number, label, synonyms, parent in terms(count):
        out.write(f'<owl:Class rdf:about="{base}{number}">')
        if parent:
            out.write(f'<rdfs:subClassOf rdf:resource="{base}{parent}"/>')
        out.write(f"<i:hasOBONamespace>ncbi_taxonomy</i:hasOBONamespace><i:id>NCBITaxon:{number}</i:id>")
        for scope, name in synonyms:
            out.write(f"<i:has{scope.capitalize()}Synonym>{name}</i:has{scope.capitalize()}Synonym>")
        out.write(f"<rdfs:label>{label}</rdfs:label></owl:Class>\n")
    out.write("</rdf:RDF>\n")


if __name__ == "__main__":
    count, form = int(sys.argv[1]), sys.argv[2]
    {"obo": obo, "owl": owl}[form](count, sys.stdout)
