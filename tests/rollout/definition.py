"""A build's file, read as the API reads it, and what is wrong with it that the API or a run would find too late."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from google.cloud.devtools.cloudbuild_v1.types import Build
from google.protobuf import json_format

ROOT = Path(__file__).resolve().parents[2]

# https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values
BUILT_IN = frozenset(
    {"PROJECT_ID", "BUILD_ID", "PROJECT_NUMBER", "LOCATION", "TRIGGER_NAME", "COMMIT_SHA", "REVISION_ID", "SHORT_SHA",
     "REPO_NAME", "REPO_FULL_NAME", "BRANCH_NAME", "TAG_NAME", "REF_NAME", "SERVICE_ACCOUNT", "SERVICE_ACCOUNT_EMAIL"}
)  # fmt: skip
_VARIABLE = re.compile(r"\$\$|\$\{([A-Z0-9_]+)\}|\$([A-Z0-9_]+)|(\$)")
_EXACT = re.compile(r"[a-z0-9./-]+(@sha256:[0-9a-f]{64}|:[0-9]+\.[0-9]+\.[0-9]+(-[a-z]+)*)")
_TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)


def read_build(text: str) -> Build:
    """The file as the API's message. Raises json_format.ParseError on a field or a type that it does not know."""
    build = Build()
    json_format.ParseDict(yaml.safe_load(text), Build.pb(build))
    return build


def problems(text: str) -> list[str]:
    """What is wrong with the file, in words."""
    try:
        build = read_build(text)
    except json_format.ParseError as exc:
        return [f"not a Build: {exc}"]
    return [
        *_order(build),
        *_substitutions(build),
        *_images(build),
        *_names(build),
        *_care(build),
    ]


def _order(build: Build) -> Iterator[str]:
    """A step may wait only for steps above it, so there is no cycle. "-" means: at once."""
    above: set[str] = set()
    for step in build.steps:
        if not step.id or step.id in above:
            yield f"step {step.id!r}: give each step an id of its own"
        for other in step.wait_for:
            if other != "-" and other not in above:
                yield f"step {step.id}: waits for {other}, which is no step above it"
        above.add(step.id)


def _substitutions(build: Build) -> Iterator[str]:
    used: set[str] = set()
    for text in _texts(json_format.MessageToDict(Build.pb(build))):
        for braced, plain, lone in _VARIABLE.findall(text):
            if lone:
                yield f"{text!r}: a $ of the shell is written $$"
            used |= {braced or plain} - {""}
    declared = set(build.substitutions)
    for name in sorted(used - declared - BUILT_IN):
        yield f"${name} is used and not declared under substitutions"
    for name in sorted(declared - used):
        yield f"{name} is declared under substitutions and not used"
    for name in sorted(declared):
        if not re.fullmatch(r"_[A-Z0-9_]+", name):
            yield f"{name}: a substitution of one's own begins with _"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key != "substitutions":
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _images(build: Build) -> Iterator[str]:
    for step in build.steps:
        if not _EXACT.fullmatch(step.name):
            yield f"step {step.id}: image {step.name} is not pinned to a digest or an exact version"


def _names(build: Build) -> Iterator[str]:
    """Make targets, steps of `deploy`, folders and files that the arguments name are there."""
    targets = set(_TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    for step in build.steps:
        words = list(step.args)
        if step.entrypoint == "make" and (missing := set(words) - targets):
            yield f"step {step.id}: the Makefile has no target {', '.join(sorted(missing))}"
        for word in words:
            if word.startswith(("--requirement=", "--constraint=")) and not (ROOT / word.partition("=")[2]).exists():
                yield f"step {step.id}: there is no {word.partition('=')[2]}"
            if word.startswith("-chdir=") and not (ROOT / word.partition("=")[2]).is_dir():
                yield f"step {step.id}: there is no folder {word.partition('=')[2]}"
            if word.startswith("-var-file="):
                yield from _var_files(step.id, word.partition("=")[2])


def _var_files(step: str, pattern: str) -> Iterator[str]:
    for environment in ("dev", "staging", "prod"):
        if not (ROOT / "terraform" / pattern.replace("${_ENVIRONMENT}", environment)).exists():
            yield f"step {step}: there is no terraform/{pattern} for {environment}"


def _care(build: Build) -> Iterator[str]:
    """What every build of ours has: an account of its own, an end, and logs; secrets from Secret Manager alone."""
    if not build.service_account.startswith("projects/$PROJECT_ID/serviceAccounts/sluice-"):
        yield "serviceAccount: name an account of its own"
    if not build.timeout or not build.queue_ttl:
        yield "timeout and queueTtl must be set"
    if build.options.logging.name != "CLOUD_LOGGING_ONLY" and not build.logs_bucket:
        yield "options.logging must be CLOUD_LOGGING_ONLY, or logsBucket be set, as the account is our own"
    if build.options.substitution_option.name != "MUST_MATCH":
        yield "options.substitutionOption must be MUST_MATCH"
    if build.secrets:
        yield "secrets: take them from Secret Manager (availableSecrets), never encrypted in the file"
