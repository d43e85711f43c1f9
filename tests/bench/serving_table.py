"""Medians and ratios of tests/bench/serving.sh's figures, one JSON object a line: who, mode, req_s, cpu_us_per_req, p99_us."""
import json
import sys
from statistics import median

rows = [json.loads(line) for line in open(sys.argv[1])]
modes = list(dict.fromkeys(row["mode"] for row in rows))
failed = [row for row in rows if row["non2xx"] or row["sockerr"]]
print(f"{'read':6} {'nginx req/s':>12} {'ours':>8} {'ratio':>6} | {'nginx us/req':>12} {'ours':>6} {'ratio':>6} | {'p99 us':>7} {'ours':>7}")
for mode in modes:
    of = lambda who: [row for row in rows if row["who"] == who and row["mode"] == mode]
    ours, peers = of("heliograph"), list(zip(of("sendfile"), of("copy")))
    # Ours is measured twice in each round, once after each of nginx's modes.
    ours = [(ours[2 * at], ours[2 * at + 1]) for at in range(len(peers))]
    best = lambda pair, key, choose: choose(pair[0][key], pair[1][key])
    rate = lambda pair: (pair[0]["req_s"] + pair[1]["req_s"]) / 2
    cpu = lambda pair: (pair[0]["cpu_us_per_req"] + pair[1]["cpu_us_per_req"]) / 2
    rates = [best(pair, "req_s", max) for pair in peers]
    cpus = [best(pair, "cpu_us_per_req", min) for pair in peers]
    print(f"{mode:6} {median(rates):12.0f} {median(map(rate, ours)):8.0f}"
          f" {median(rate(o) / r for o, r in zip(ours, rates)):6.2f} |"
          f" {median(cpus):12.1f} {median(map(cpu, ours)):6.1f} {median(cpu(o) / c for o, c in zip(ours, cpus)):6.2f} |"
          f" {median(best(p, 'p99_us', min) for p in peers):7.0f} {median(max(o[0]['p99_us'], o[1]['p99_us']) for o in ours):7.0f}")
if failed:
    print(f"{len(failed)} of {len(rows)} measurements had failed requests: {failed[0]}")
    sys.exit(1)
