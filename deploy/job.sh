#!/bin/sh
# Starts `sluice` from a release, in a job inside the network: it can reach Postgres there, and no package index. So the
# wheels are in the release. Called by deploy/start.py with RELEASE, a checked copy of the release. It waits at most 3
# minutes for its way into the network, until it reaches what every connection to Postgres asks first.
set -eu
home=$(mktemp -d)
python -m zipfile -e "$RELEASE/source.zip" "$home"
pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-index --find-links "$RELEASE/wheels" \
    --requirement "$home/requirements-cli.txt"
cd "$home"
python -m cli.reachable "${REACH:-sqladmin.googleapis.com:443}" "${REACH_SECONDS:-180}"
exec python -c 'from cli.main import main; main()' "$@"
