"""Stand-ins for gcloud and terraform in the steps of a build: buckets are folders, jobs and plans are what a test says.

The real gcloud needs a project. Each stand-in notes its words in calls.txt and refuses what the steps do not use, so a
changed call fails here. They are shell scripts, as hundreds of them are started.
"""

from __future__ import annotations

import os
from pathlib import Path

GCLOUD = """#!/bin/sh
set -eu
echo "gcloud $*" >> "$FAKE_HOME/calls.txt"
place() { case $1 in gs://*) echo "$FAKE_HOME/buckets/${1#gs://}" ;; *) echo "$1" ;; esac; }
case "$1 $2" in
"storage ls")
    for path in "$(place "$3")"/*; do
        [ ! -e "$path" ] || echo "$3/$(basename "$path")"
    done ;;
"storage cp")
    shift 2
    recursive='' keep=''
    while :; do
        case $1 in
        --recursive) recursive=-R ;;
        --no-clobber) keep=yes ;;
        -*) echo "unknown: $1" >&2; exit 2 ;;
        *) break ;;
        esac
        shift
    done
    target=$(place "$2")
    [ -z "$keep" ] || [ ! -e "$target" ] || exit 0
    case $2 in */) mkdir -p "$target" ;; *) mkdir -p "$(dirname "$target")" ;; esac
    # shellcheck disable=SC2086,SC2046  # the asterisk is to be expanded
    cp $recursive $(place "$1") "$target" ;;
"run jobs")
    [ "$3" = execute ]
    code=0
    if [ -s "$FAKE_HOME/$4.says" ]; then
        read -r code rest < "$FAKE_HOME/$4.says" || true
        echo "$rest" > "$FAKE_HOME/$4.says"
    fi
    exit "${code:-0}" ;;
*) echo "unknown: $*" >&2; exit 2 ;;
esac
"""

TERRAFORM = """#!/bin/sh
set -eu
echo "terraform $*" >> "$FAKE_HOME/calls.txt"
[ "$(basename "$PWD")" = terraform ]
for last; do :; done
case $1 in
plan) cp "$FAKE_HOME/plan.json" "${last#-out=}" ;;
show) cat "$last" ;;
output) echo '{"LANDING_BUCKET": "shop-dev-landing"}' ;;
apply) [ -f "$last" ] ;;
*) echo "unknown: $*" >&2; exit 2 ;;
esac
"""


def install(home: Path) -> Path:
    """Write both into home/bin and return that folder."""
    folder = home / "bin"
    folder.mkdir(parents=True)
    for name, body in (("gcloud", GCLOUD), ("terraform", TERRAFORM)):
        program = folder / name
        program.write_text(body, encoding="utf-8")
        program.chmod(0o755)
    return folder


def path_with(folder: Path) -> str:
    """PATH on which these come first."""
    return f"{folder}{os.pathsep}{os.environ['PATH']}"
