"""Validates an OCFL storage root with ocfl-py, digests included; the last line printed is a report as JSON."""

import json
import sys

from ocfl import StorageRoot

root = StorageRoot(root=sys.argv[1])
valid = root.validate(validate_objects=True, check_digests=True, log_warnings=True)
report = {"valid": valid, "objects": root.num_objects, "good": root.good_objects, "errors": [str(e) for e in root.errors]}
print(root.log.status_str() if hasattr(root.log, "status_str") else "")
print(json.dumps(report))
sys.exit(0 if valid and root.num_objects == root.good_objects else 1)
