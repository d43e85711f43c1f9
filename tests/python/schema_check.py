"""Validates forms of records against the published schemas. usage: schema_check.py SCHEMAS EXPORTS_URL...

DataCite publishes no JSON schema of its newest version: its JSON, written as XML by its own client, is held against the XML one.
SCHEMAS is a folder with clones of github.com/datacite/schema as `datacite`, and of github.com/JPCOAR/schema as `jpcoar`.
"""

import io
import json
import sys
import urllib.request
from pathlib import Path

from lxml import etree


class Local(etree.Resolver):
    """The schema of `xml:lang`, which both import from elsewhere."""

    def __init__(self, path):
        self.path = path

    def resolve(self, url, _public_id, context):
        return self.resolve_filename(str(self.path), context) if url and url.endswith("xml.xsd") else None


def fetch(url):
    with urllib.request.urlopen(url) as answer:
        return answer.read()


def datacite_json_as_xml(text):
    from datacite import schema45

    # The client writes the one identifier that there must be for DOIs alone.
    return schema45.tostring({"doi": "10.1234/example", "identifiers": [], **json.loads(text)}).encode()


def main(schemas, *exports):
    kernel = Path(schemas) / "datacite/source/meta/kernel-4.7"
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(Local(kernel / "include/xml.xsd"))
    datacite = etree.XMLSchema(etree.parse(str(kernel / "metadata.xsd"), parser))
    jpcoar = etree.XMLSchema(etree.parse(str(Path(schemas) / "jpcoar/2.0/jpcoar_scm.xsd"), parser))
    for address in exports:
        datacite.assertValid(etree.parse(io.BytesIO(fetch(f"{address}/datacite-xml"))))
        datacite.assertValid(etree.parse(io.BytesIO(datacite_json_as_xml(fetch(f"{address}/datacite-json")))))
        jpcoar.assertValid(etree.parse(io.BytesIO(fetch(f"{address}/jpcoar"))))
    print(f"{len(exports)} records: DataCite XML and JSON 4.7, JPCOAR 2.0: valid")


if __name__ == "__main__":
    main(*sys.argv[1:])
