"""Lets F-UJI judge a dataset page. usage: fuji.py PAGE_URL [DOI_URL]

DOI_URL, such as https://doi.org/10.5281/zenodo.1, is answered as if it were registered and led to the page.

Needs F-UJI (github.com/pangaea-data-publisher/fuji, Python 3.13) in the environment that runs this; scripts/fuji.sh makes one.
F-UJI's own server is left out: the assessment runs here, and asks only the node. Prints the points of each metric, and in the last line
one JSON object.
"""

import configparser
import email
import io
import json
import logging
import os
import sys
import urllib.request
import urllib.response
from pathlib import Path

# Apache Tika, which F-UJI asks for the kinds of files, is a download; without it the types that the node names are taken.
os.environ.update(TIKA_CLIENT_ONLY="True", TIKA_SERVER_ENDPOINT="http://127.0.0.1:9")

import fuji_server
from fuji_server.controllers.fair_check import FAIRCheck
from fuji_server.helper.preprocessor import Preprocessor

CHECKS = [
    "check_minimal_metatadata", "check_data_access_level", "check_license", "check_relatedresources", "check_searchable",
    "harvest_all_data", "check_unique_persistent_metadata_identifier", "check_data_identifier_included_in_metadata",
    "check_metadata_data_retrievable", "check_data_content_metadata", "check_metadata_identifier_included_in_metadata",
    "check_data_file_format", "check_community_metadatastandards", "check_data_provenance", "check_formal_metadata",
    "check_semantic_vocabulary", "check_metadata_preservation", "check_standardised_protocol_data",
    "check_standardised_protocol_metadata", "check_standardised_protocol_authentication",
]


METRICS = "metrics_v0.8"


def register(doi, page):
    """Lets a DOI lead to a page, without the resolver on the network."""

    class Resolver(urllib.request.HTTPSHandler):
        def https_open(self, request):
            if request.full_url.lower() != doi.lower():
                return super().https_open(request)
            headers = email.message_from_string(f"Location: {page}\n\n")
            answer = urllib.response.addinfourl(io.BytesIO(b""), headers, request.full_url, 302)
            answer.msg = "Found"
            return answer

    urllib.request.HTTPSHandler = Resolver


def assess(page):
    here = Path(fuji_server.__file__).parent
    config = configparser.ConfigParser()
    config.read(here / "config" / "server.ini")
    preparation = Preprocessor()
    preparation.set_data_files_limit(5)
    preparation.set_metric_yaml_path(str(here / "yaml"))
    # Debug mode: lists that come with F-UJI instead of downloads.
    preparation.retrieve_licenses(True)
    preparation.retrieve_metadata_standards()
    preparation.set_remote_log_info("", "")
    preparation.set_max_content_size(5_000_000)
    check = FAIRCheck(uid=page, test_debug=True, use_datacite=False, use_github=False, metric_version=METRICS)
    check.harvest_all_metadata()
    check.set_harvested_metadata()
    results = []
    for name in CHECKS:
        result = getattr(check, name)()
        results += [part for part in (result if isinstance(result, tuple) else (result,)) if part]
    messages = check.get_log_messages_dict()
    return results, check.get_assessment_summary(results), messages


def main(page, doi=None):
    logging.getLogger().setLevel(logging.ERROR)
    if doi:
        register(doi, page)
    results, summary, messages = assess(page)
    points = {}
    for result in sorted(results, key=lambda result: result["metric_identifier"]):
        name, score = result["metric_identifier"], result["score"]
        points[name] = [score["earned"], score["total"]]
        print(f"{name:16} {score['earned']:g} of {score['total']:g}  {result['metric_name']}")
        if score["earned"] < score["total"]:
            for message in messages.get(name, []):
                print(f"    {message}")
    earned = sum(part[0] for part in points.values())
    total = sum(part[1] for part in points.values())
    print(json.dumps({"page": page, "earned": earned, "total": total, "metrics": points, "maturity": summary.get("maturity", {}).get("FAIR")}))


if __name__ == "__main__":
    main(*sys.argv[1:])
