#!/bin/sh
# Starts `sluice` from a release, in a job inside the network: it can reach Postgres there, and no package index. So the
# wheels are in the release. Called by the jobs of terraform/jobs.tf with RELEASE, the folder of the release.
set -eu
pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-index --find-links "$RELEASE/wheels" \
    --requirement "$RELEASE/requirements-cli.txt"
python -m zipfile -e "$RELEASE/source.zip" "${HOME:-/root}/sluice"
cd "${HOME:-/root}/sluice"
exec python -c 'from cli.main import main; main()' "$@"
