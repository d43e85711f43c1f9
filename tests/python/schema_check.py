"""Validates the XML forms of a record against the published schemas. usage: schema_check.py SCHEMAS EXPORTS_URL

SCHEMAS is a folder with clones of github.com/datacite/schema as `datacite`, and of github.com/JPCOAR/schema as `jpcoar`.
"""

import io
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


def main(schemas, exports):
    kernel = Path(schemas) / "datacite/source/meta/kernel-4.7"
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(Local(kernel / "include/xml.xsd"))
    for name, path in [("datacite-xml", kernel / "metadata.xsd"), ("jpcoar", Path(schemas) / "jpcoar/2.0/jpcoar_scm.xsd")]:
        schema = etree.XMLSchema(etree.parse(str(path), parser))
        with urllib.request.urlopen(f"{exports}/{name}") as answer:
            document = etree.parse(io.BytesIO(answer.read()))
        schema.assertValid(document)
        print(f"{name}: valid")


if __name__ == "__main__":
    main(*sys.argv[1:])
