"""Reads dataset pages and every form they name with the programs that others use. usage: exports_check.py PAGE_URL...

Prints a JSON list in the last line: what they found, page by page. Nothing is fetched from anywhere but the node.
"""

import io
import json
import logging
import sys
import tempfile
import warnings
from pathlib import Path

import requests

CONTEXT = Path(__file__).parent.parent.parent / "crates/metadata-store/contexts/ro-crate-1.2.jsonld"

logging.disable(logging.WARNING)
warnings.simplefilter("ignore")


def forms(page):
    """The addresses of the forms, by their names."""
    from signposting import find_signposting_http

    signposts = find_signposting_http(page)
    found = {str(s.target).split("?")[0].rsplit("/", 1)[-1]: str(s.target) for s in signposts.describedBy}
    return signposts, found


def fetch(url):
    response = requests.get(url, timeout=30)
    response.raise_for_status()
    return response


def signposting(page, signposts):
    """Level 1 in headers and in the page; level 2 in both kinds of link set, the way back included."""
    from signposting import find_signposting_html, find_signposting_http, find_signposting_linkset

    in_page = find_signposting_html(page)
    assert {str(s.target) for s in signposts.signposts} == {str(s.target) for s in in_page.signposts}
    sets = []
    for link in signposts.linksets:
        links = find_signposting_linkset(str(link.target), acceptType=str(link.type))
        of_page = links.for_context(signposts.context)
        assert {str(i.target) for i in signposts.items} <= {str(i.target) for i in of_page.items}
        for item in of_page.items:
            back = links.for_context(item.target)
            assert back.collection and str(back.collection.target) == page, str(item.target)
        sets.append(str(link.type))
    for item in signposts.items:
        collection = find_signposting_http(str(item.target)).collection
        assert collection and page.startswith(str(collection.target)), str(item.target)
    for form in signposts.describedBy:
        links = requests.head(str(form.target), timeout=30)
        assert links.status_code == 200 and f"<{page}>; rel=\"describes\"" in links.headers["Link"], links.headers
        assert links.headers["Content-Type"].split(";")[0] == str(form.type), (form, links.headers)
    relations = sorted({str(s.rel) for s in signposts.signposts})
    return {"relations": relations, "items": len(signposts.items), "describedby": len(signposts.describedBy), "linksets": sorted(sets)}


def ro_crate(text):
    """roc-validator at REQUIRED for RO-Crate 1.2, and ro-crate-py. The context is the one that the node has within."""
    import rocrate.rocrate
    from rocrate_validator import models, services
    from rocrate_validator.utils.http import HttpRequester

    context = CONTEXT.read_text()

    class Context:
        status_code, headers, ok = 200, {"Content-Type": "application/ld+json"}, True
        text, content = context, context.encode()

        def json(self):
            return json.loads(context)

        def raise_for_status(self):
            pass

    class Nothing(Context):
        status_code, ok = 404, False

    HttpRequester.get = lambda self, url, **_: Context() if "w3id.org/ro/crate" in str(url) else Nothing()
    HttpRequester.head = HttpRequester.get
    document = json.loads(text)
    settings = services.ValidationSettings(
        rocrate_uri=".", metadata_dict=document, metadata_only=True, profile_identifier="ro-crate-1.2",
        requirement_severity=models.Severity.REQUIRED, skip_availability_check=True,
    )
    result = services.validate(settings)
    issues = [f"{issue.check.identifier}: {issue.message}" for issue in result.get_issues(models.Severity.REQUIRED)]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "ro-crate-metadata.json").write_text(text)
        crate = rocrate.rocrate.ROCrate(folder)
        name = crate.root_dataset["name"]
    return {"required": issues, "name": name, "entities": len(document["@graph"])}


def schema_org(page, text):
    """rdflib reads the form, and extruct the same from the page, without network."""
    import extruct
    import rdflib

    graph = rdflib.Graph().parse(data=text, format="json-ld")
    schema = rdflib.Namespace("http://schema.org/")
    dataset = graph.value(predicate=rdflib.RDF.type, object=schema.Dataset)
    said = {name: len(list(graph.objects(dataset, schema[name]))) for name in
            ["name", "description", "identifier", "license", "creator", "keywords", "distribution", "sdLicense"]}
    block = extruct.extract(fetch(page).text, syntaxes=["json-ld"])["json-ld"]
    assert len(block) == 1 and block[0]["@type"] == "Dataset"
    return {"triples": len(graph), "said": said, "in_page": block[0]["name"]}


def croissant(text):
    import mlcroissant

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "croissant.json"
        path.write_text(text)
        dataset = mlcroissant.Dataset(jsonld=path)
        issues = dataset.metadata.ctx.issues
        rows = [row for row in dataset.records("images")] if dataset.metadata.record_sets else []
    return {"errors": sorted(issues.errors), "warnings": sorted(issues.warnings), "rows": len(rows), "files": len(dataset.metadata.distribution)}


def dcat(turtle, json_ld):
    """Both are one graph, with what the shapes of FAIR Data Points ask of datasets and distributions."""
    import rdflib
    from pyshacl import validate
    from rdflib.compare import isomorphic

    first, second = rdflib.Graph().parse(data=turtle, format="turtle"), rdflib.Graph().parse(data=json_ld, format="json-ld")
    assert isomorphic(first, second)
    shapes = rdflib.Graph().parse(data=SHAPES, format="turtle")
    conforms, _, report = validate(first, shacl_graph=shapes)
    return {"triples": len(first), "conforms": conforms, "report": "" if conforms else report}


# What a FAIR Data Point asks of resources, datasets and distributions.
SHAPES = """
@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix : <urn:shapes:> .
:Resource a sh:NodeShape ; sh:targetClass dcat:Resource ;
  sh:property [ sh:path dct:title ; sh:nodeKind sh:Literal ; sh:minCount 1 ; sh:maxCount 1 ] ,
    [ sh:path dct:description ; sh:nodeKind sh:Literal ; sh:maxCount 1 ] ,
    [ sh:path dct:publisher ; sh:node :Agent ; sh:minCount 1 ; sh:maxCount 1 ] ,
    [ sh:path dcat:version ; sh:nodeKind sh:Literal ; sh:minCount 1 ; sh:maxCount 1 ] ,
    [ sh:path dct:license ; sh:nodeKind sh:IRI ; sh:maxCount 1 ] .
:Agent a sh:NodeShape ; sh:targetClass foaf:Agent ;
  sh:property [ sh:path foaf:name ; sh:nodeKind sh:Literal ; sh:minCount 1 ; sh:maxCount 1 ] .
:Dataset a sh:NodeShape ; sh:targetClass dcat:Dataset ;
  sh:property [ sh:path dct:issued ; sh:datatype xsd:dateTime ; sh:maxCount 1 ] ,
    [ sh:path dct:modified ; sh:datatype xsd:dateTime ; sh:maxCount 1 ] ,
    [ sh:path dcat:theme ; sh:nodeKind sh:IRI ; sh:minCount 1 ] ,
    [ sh:path dcat:keyword ; sh:nodeKind sh:Literal ] ,
    [ sh:path dcat:landingPage ; sh:nodeKind sh:IRI ; sh:maxCount 1 ] ,
    [ sh:path dct:isPartOf ; sh:nodeKind sh:IRI ; sh:minCount 1 ; sh:maxCount 1 ] .
:Distribution a sh:NodeShape ; sh:targetClass dcat:Distribution ;
  sh:property [ sh:path dcat:accessURL ; sh:nodeKind sh:IRI ; sh:maxCount 1 ] ,
    [ sh:path dcat:downloadURL ; sh:nodeKind sh:IRI ; sh:maxCount 1 ] ,
    [ sh:path dcat:mediaType ; sh:nodeKind sh:Literal ; sh:minCount 1 ; sh:maxCount 1 ] ,
    [ sh:path dcat:byteSize ; sh:nodeKind sh:Literal ; sh:maxCount 1 ] .
"""


def datacite(as_json, as_xml):
    """The schema of DataCite's Python client; the XML tells the same."""
    from datacite import schema45
    from lxml import etree

    record = json.loads(as_json)
    errors = [error.message for error in schema45.validator.iter_errors(record)]
    tree = etree.parse(io.BytesIO(as_xml))
    kernel = "{http://datacite.org/schema/kernel-4}"
    for path in ["identifier", "creators/creator/creatorName", "titles/title", "publisher", "publicationYear", "resourceType"]:
        assert tree.findtext(kernel + path.replace("/", f"/{kernel}")), path
    # The client's own XML of the same record has no element that ours lacks.
    theirs = etree.fromstring(schema45.tostring({"identifiers": [], **record}).encode())
    ours = {element.tag for element in tree.getroot()}
    assert {element.tag for element in theirs} <= ours | {kernel + "identifier"}, {e.tag for e in theirs} - ours
    return {"errors": errors}


def dublin_core(text):
    from lxml import etree

    tree = etree.parse(io.BytesIO(text)).getroot()
    elements = [etree.QName(element) for element in tree]
    fifteen = {"title", "creator", "subject", "description", "publisher", "contributor", "date", "type", "format", "identifier",
               "source", "language", "relation", "coverage", "rights"}
    assert {e.namespace for e in elements} == {"http://purl.org/dc/elements/1.1/"} and {e.localname for e in elements} <= fifteen
    return sorted({e.localname for e in elements})


def jpcoar(text):
    from lxml import etree

    tree = etree.parse(io.BytesIO(text)).getroot()
    assert etree.QName(tree).namespace == "https://github.com/JPCOAR/schema/blob/master/2.0/"
    return [etree.QName(element).localname for element in tree]


def citations(bibtex, csl):
    """bibtexparser reads the entry; citeproc-py makes a reference of the item."""
    import bibtexparser
    from citeproc import Citation, CitationItem, CitationStylesBibliography, CitationStylesStyle, formatter
    from citeproc.source.json import CiteProcJSON

    library = bibtexparser.parse_string(bibtex)
    assert not library.failed_blocks and len(library.entries) == 1, library.failed_blocks
    item = json.loads(csl)
    style = CitationStylesStyle("harvard-cite-them-right", validate=False)
    bibliography = CitationStylesBibliography(style, CiteProcJSON([item]), formatter.plain)
    bibliography.register(Citation([CitationItem(item["id"])]))
    return {"bibtex": library.entries[0].entry_type, "csl": str(bibliography.bibliography()[0])}


def check(page):
    signposts, found = forms(page)
    texts = {name: fetch(url).content for name, url in found.items()}
    report = {"formats": sorted(texts)}
    if signposts.items:
        report["signposting"] = signposting(page, signposts)
    report["ro-crate"] = ro_crate(texts["ro-crate"].decode())
    report["schema-org"] = schema_org(page, texts["schema-org"].decode())
    report["croissant"] = croissant(texts["croissant"].decode())
    report["dcat"] = dcat(texts["dcat"].decode(), texts["dcat-jsonld"].decode())
    report["datacite"] = datacite(texts["datacite-json"], texts["datacite-xml"])
    report["oai-dc"] = dublin_core(texts["oai-dc"])
    report["jpcoar"] = jpcoar(texts["jpcoar"])
    report["citations"] = citations(texts["bibtex"].decode(), texts["csl-json"].decode())
    return report


if __name__ == "__main__":
    print(json.dumps([check(page) for page in sys.argv[1:]]))
