"""The variables of an installation, as files give them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.environment import BadEnvironment, read_environment, use_environment
from shared.settings import load_settings


def file(folder: Path, text: str, name: str = "prod.env") -> Path:
    made = folder / name
    made.write_text(text, encoding="utf-8")
    return made


def test_lines_are_read_with_comments_quotes_and_export(tmp_path: Path) -> None:
    text = (
        '# of prod\n\nexport REGION="europe-west1"\nLANDING_BUCKET = x\n'.replace(" = ", "=")
        + "QUALITY='a b'\nEMPTY=\n"
    )
    found = read_environment([file(tmp_path, text)])
    assert found == {"REGION": "europe-west1", "LANDING_BUCKET": "x", "QUALITY": "a b", "EMPTY": ""}


def test_what_sluice_env_prints_is_read_back(tmp_path: Path) -> None:
    line = f"export OPERATORS={json.dumps('a@example.org,b@example.org')}\n"
    assert read_environment([file(tmp_path, line)]) == {"OPERATORS": "a@example.org,b@example.org"}


def test_the_output_of_terraform_is_taken_as_it_is_alone_or_among_all(tmp_path: Path) -> None:
    output = {"GOOGLE_CLOUD_PROJECT": "shop-prod", "CHUNK_ROWS": 5000, "FUNCTION_URLS": {"report": "https://r.run.app"}}
    whole = {"environment": {"sensitive": False, "type": ["object", {}], "value": output}, "other": {"value": 1}}
    alone = read_environment([file(tmp_path, json.dumps(output))])
    assert alone == read_environment([file(tmp_path, json.dumps(whole))])
    assert alone == {
        "GOOGLE_CLOUD_PROJECT": "shop-prod", "CHUNK_ROWS": "5000", "FUNCTION_URLS": '{"report": "https://r.run.app"}',
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("REGION=x\nnonsense\n", "prod.env, line 2: write NAME=VALUE"),
        ('{"REGION": ', "prod.env: Expecting value"),
        ('{"bucket": {"value": "x"}}', "no output `environment`"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BadEnvironment, match=r"prod\.env") as caught:
        read_environment([file(tmp_path, text)])
    assert told in str(caught.value)


def test_the_address_of_a_tunnel_goes_before_the_instance(tmp_path: Path) -> None:
    installation = file(tmp_path, '{"CLOUDSQL_INSTANCE": "p:r:i"}')
    tunnel = file(tmp_path, "DATABASE_URL=postgresql://me@127.0.0.1:5433/sluice", "tunnel.env")
    found = read_environment([installation, tunnel])
    assert (found["CLOUDSQL_INSTANCE"], found["DATABASE_URL"][:13]) == ("", "postgresql://")


def test_nothing_of_another_cloud_in_the_shell_is_mixed_in(tmp_path: Path) -> None:
    shell = {"PUBSUB_EMULATOR_HOST": "127.0.0.1:1", "DATABASE_URL": "postgresql://local", "PATH": "/bin"}
    names = ("GOOGLE_CLOUD_PROJECT", "LANDING_BUCKET", "LAKE_BUCKET", "QUARANTINE_BUCKET")
    use_environment(read_environment([file(tmp_path, "".join(f"{name}=x\n" for name in names))]), shell)
    assert shell == {"PATH": "/bin", **dict.fromkeys(names, "x")}
    assert load_settings(shell).database_url == ""
