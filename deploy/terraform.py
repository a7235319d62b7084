"""The terraform binary in one folder: validate, test, plan, apply, show."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENVIRONMENTS = ("dev", "staging", "prod")
QUIET = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
NO_CHANGES, FAILED, CHANGES = 0, 1, 2
NO_WAITS = ("-var=agents_wait_seconds=0", "-var=metrics_wait_seconds=0")
"""Neither asks for service agents (gcloud) nor waits for them or for new metrics: terraform/agents.tf, metrics.tf."""


class TerraformFailed(Exception):
    """A command failed; the message is the command and what terraform said."""


@dataclass(frozen=True)
class Terraform:
    """`folder` is a copy made by `copy_tree`. `offline` names the stand-in for the provider; None: the real one."""

    folder: Path
    offline: Path | None

    def prepare(self) -> None:
        """Fetch modules, and the provider where it is the real one."""
        self.run("get") if self.offline else self.run("init", "-backend=false")

    def validate(self) -> None:
        """Names, types, references and what is required."""
        self.run("validate")

    def test(self) -> str:
        """Run terraform/tests; its last line, which counts."""
        return self.run("test").rstrip().splitlines()[-1]

    def plan(self, environment: str, out: Path, state: Path) -> bool:
        """Plan an environment into the file `out`, against the file `state`; whether anything changes."""
        return self._run("plan", *self._for(environment, state), f"-out={out}", "-detailed-exitcode")[0] == CHANGES

    def apply(self, out: Path, state: Path) -> None:
        """Apply a saved plan to a local state, by the stand-in, which makes nothing. Refused for the real provider."""
        if self.offline is None:
            raise TerraformFailed("terraform apply: from here only the stand-in applies; see docs/deployment.md")
        self.run("apply", f"-state={state}", str(out))

    def show(self, file: Path) -> dict[str, Any]:
        """A saved plan or a state as JSON: https://developer.hashicorp.com/terraform/internals/json-format."""
        found: dict[str, Any] = json.loads(self.run("show", "-json", str(file)))
        return found

    def run(self, command: str, *arguments: str) -> str:
        """Run a command; its output. Raises TerraformFailed."""
        return self._run(command, *arguments)[1]

    def _for(self, environment: str, state: Path) -> tuple[str, ...]:
        return (
            f"-var-file=env/{environment}.tfvars",
            f"-state={state}",
            "-lock=false",
            *(NO_WAITS if self.offline else ()),
        )

    def _run(self, command: str, *arguments: str) -> tuple[int, str]:
        override = {"TF_CLI_CONFIG_FILE": str(self.offline)} if self.offline else {}
        binary = shutil.which("terraform") or "terraform"
        done = subprocess.run(
            [binary, f"-chdir={self.folder}", command, "-no-color", *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, **QUIET, **override},
        )
        detailed = "-detailed-exitcode" in arguments
        if done.returncode != NO_CHANGES and not (detailed and done.returncode == CHANGES):
            raise TerraformFailed(f"terraform {command} {' '.join(arguments)}\n{_errors(done.stdout + done.stderr)}")
        return done.returncode, done.stdout


def _errors(output: str) -> str:
    """What terraform says from its first error on; all of it where there is none."""
    start = output.find("\nError: ")
    return output[start + 1 :] if start >= 0 else output
