"""Asks a SPARQL endpoint with SPARQLWrapper and with rdflib's SPARQLStore; prints what each found as JSON."""

import json
import sys

from rdflib import Dataset, Graph, URIRef
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from SPARQLWrapper import CSV, GET, JSON, POST, POSTDIRECTLY, RDFXML, TSV, TURTLE, XML, SPARQLWrapper

endpoint, title = sys.argv[1], sys.argv[2]
NAME = "http://schema.org/name"
select = f'SELECT ?s WHERE {{ ?s <{NAME}> "{title}" }}'


def ask(query, form, method=GET, directly=False, graphs=()):
    wrapper = SPARQLWrapper(endpoint, defaultGraph=None)
    wrapper.setQuery(query)
    wrapper.setReturnFormat(form)
    wrapper.setMethod(method)
    if directly:
        wrapper.setRequestMethod(POSTDIRECTLY)
    for graph in graphs:
        wrapper.addParameter("default-graph-uri", graph)
    return wrapper.query()


answers = {}
for name, method, directly in [("get", GET, False), ("form", POST, False), ("direct", POST, True)]:
    rows = ask(select, JSON, method, directly).convert()["results"]["bindings"]
    answers[name] = [row["s"]["value"] for row in rows]
answers["xml"] = len(ask(select, XML).convert().getElementsByTagName("result"))
answers["csv"] = len(ask(select, CSV).convert().decode().strip().splitlines()) - 1
answers["tsv"] = len(ask(select, TSV).convert().decode().strip().splitlines()) - 1
construct = f"CONSTRUCT {{ ?s <{NAME}> ?o }} WHERE {{ ?s <{NAME}> ?o . FILTER (?o = \"{title}\") }}"
answers["rdfxml"] = len(ask(construct, RDFXML).convert())
answers["turtle"] = title in ask(construct, TURTLE).convert().decode()
elsewhere = ask(select, JSON, graphs=["urn:none"]).convert()["results"]["bindings"]
answers["no_graph"] = len(elsewhere)

store = SPARQLStore(endpoint)
store_data = Dataset(store=store, default_union=True)
answers["rdflib"] = [str(row.s) for row in store_data.query(select)]
answers["graphs"] = sorted(str(name) for name in store.contexts() if "/datasets/" in str(name))
graph = Graph(store=SPARQLStore(endpoint), identifier=URIRef(answers["graphs"][0]))
answers["triples"] = sum(1 for _ in graph.triples((None, None, None)))
print(json.dumps(answers))
