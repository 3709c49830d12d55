"""Passwords and tokens: in no message, and in no argument that other users could read."""

import ast

import pytest

from pipeline.errors import UserError, without_secrets
from pipeline.suite.places import Places
from pipeline.tracking.addresses import store_errors, tracking_uri
from tests.conftest import ROOT

STARTS = {"run", "Popen", "call", "check_call", "check_output", "execv", "execve", "execvp",
          "spawnv", "posix_spawn", "create_subprocess_exec"}
# What may hold an address with a password, or a token.
HOLDERS = ("uri", "url", "address", "password", "token", "secret")


@pytest.mark.parametrize(("text", "shown"), [
    ("postgresql+psycopg2://u:hidden@host:5432/runs", "postgresql+psycopg2://u:***@host:5432/runs"),
    ("postgresql://u:hidden@more@h/db", "postgresql://u:***@h/db"),
    ("postgresql://u:hid/den:1@h:5432/db", "postgresql://u:***@h:5432/db"),
    ("(postgresql://:hidden@h/db)", "(postgresql://:***@h/db)"),
    ("https://hidden@github.com/a/b.git", "https://***@github.com/a/b.git"),
    ("https://user:hidden@h/x and http://a:hidden@b/", "https://user:***@h/x and http://a:***@b/"),
    ("https://h/x?a=1&access_token=hidden&b=2", "https://h/x?a=1&access_token=***&b=2"),
    ("s3://b/x?X-Amz-Signature=hidden#part", "s3://b/x?X-Amz-Signature=***#part"),
    ("https://h/x?API_KEY=hidden'", "https://h/x?API_KEY=***'"),
    ("postgresql://h/db?user=u&password=hidden", "postgresql://h/db?user=u&password=***"),
])
def test_a_secret_is_not_shown_and_the_rest_is(text: str, shown: str) -> None:
    assert without_secrets(text) == shown
    assert str(UserError(f"it failed: {text}; mend it")) == f"it failed: {shown}; mend it"


@pytest.mark.parametrize("text", [
    "http://127.0.0.1:5000/#/experiments/1", "ssh://git@host/path", "sqlite:////tmp/a@b.db",
    "line 3: a:b@c", "postgresql://runs@host/db", "git@github.com:a/b.git", "what?tokens=3 are"])
def test_what_is_no_secret_stays(text: str) -> None:
    shown = without_secrets(text)
    assert shown == text or text.startswith("what?")


@pytest.mark.parametrize("password", ["hidden", "hid/den", "hid:den", "hid@den", "hid%2Fden",
                                      "hid den", "hid[den", "hid?den", "hid#den"])
def test_no_store_address_gives_its_password_away(
        password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("postgresql+psycopg2", "mysql", "http", "nonsense", "mssql+pyodbc"):
        uri = f"{scheme}://user:{password}@127.0.0.1:1/db"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        with pytest.raises(UserError) as failure, store_errors(uri):
            tracking_uri(Places(ROOT))
            raise RuntimeError(f"connection to {uri} failed (password '{password}')")
        assert password not in str(failure.value)
        assert "hid" not in str(failure.value) and "den" not in str(failure.value)
        assert failure.value.__cause__ is None


def test_no_process_is_started_with_an_address_among_its_arguments() -> None:
    """Arguments are read by everybody on a machine; the environment is not."""
    found, started = [], 0
    for path in sorted((ROOT / "pipeline").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
                    and node.func.attr in STARTS and ast.unparse(node.func).startswith(
                        ("subprocess.", "os.", "asyncio."))):
                started += 1
                named = {name.id for argument in node.args for name in ast.walk(argument)
                         if isinstance(name, ast.Name)}
                found += [f"{path.name}, line {node.lineno}: {name}" for name in named
                          if any(word in name.lower() for word in HOLDERS)]
                found += [f"{path.name}, line {node.lineno}: a shell" for word in node.keywords
                          if word.arg == "shell"]
    assert found == [] and started > 10
