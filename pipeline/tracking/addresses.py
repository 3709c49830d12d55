"""Where the tracking store is: its address, whether it answers, and errors that name it.

An address may hold a password, so whatever is said of one goes through `without_secrets`.
"""

import contextlib
import os
import socket
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from pipeline.errors import UserError, without_secrets
from pipeline.suite.places import Places

_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}


def tracking_uri(places: Places) -> str:
    """MLFLOW_TRACKING_URI of the environment, else a SQLite file in the project's root."""
    uri = (os.environ.get("MLFLOW_TRACKING_URI")
           or f"sqlite:///{places.tracking_database.resolve()}")
    if not _is_readable(uri):
        # Libraries quote the part that they cannot read, which would be one of the password.
        raise UserError(f"MLFLOW_TRACKING_URI={_shown(uri)}: host and port cannot be told; in a "
                        "user's name or password write %2F for /, %3A for :, %40 for @, %5B for [")
    if _kind(uri) not in {"sqlite", *_PORTS}:
        raise UserError(f"MLFLOW_TRACKING_URI={_shown(uri)}: no tracking server or database; use "
                        "for example http://HOST:5000, postgresql+psycopg2://USER@HOST/NAME or "
                        "sqlite:////ABSOLUTE/PATH.db (MLflow has given up plain folders)")
    return uri


def is_server(uri: str) -> bool:
    """Whether the URI is an MLflow server, which has pages and artifacts of its own."""
    return _kind(uri) in ("http", "https")


def _kind(uri: str) -> str:
    return urlsplit(uri).scheme.partition("+")[0]


def _shown(uri: str) -> str:
    """The address as it may be shown, also where a password has spaces, which it must not."""
    return without_secrets("%20".join(uri.split()))


def _is_readable(uri: str) -> bool:
    """Whether host and port can be told; a password with a plain / or : hides them."""
    try:
        return urlsplit(uri).port != 0
    except ValueError:
        return False


@contextlib.contextmanager
def store_errors(uri: str) -> Iterator[None]:
    """Turn what MLflow and its drivers raise about a store into a UserError that names it."""
    try:
        yield
    except UserError:
        raise
    # MLflow passes on errors of HTTP libraries and of every database driver, with no common base.
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        if password := urlsplit(uri).password:  # which a driver may quote by itself
            reason = reason.replace(password, "***").replace(unquote(password), "***")
        # No cause: a log of it would have the address.
        raise UserError(f"tracking store {_shown(uri)}: {reason}; see that it runs, or set "
                        "MLFLOW_TRACKING_URI to another") from None


def require_reachable(uri: str) -> None:
    """Fail at once where MLflow would try for minutes: no host, no database, no permission."""
    parts = urlsplit(uri)
    if parts.hostname:
        address = (parts.hostname, parts.port or _PORTS[_kind(uri)])
        with socket.create_connection(address, timeout=5):
            pass
    if not is_server(uri):
        import sqlalchemy

        try:
            engine = sqlalchemy.create_engine(uri, poolclass=sqlalchemy.NullPool)
        except ModuleNotFoundError as error:
            raise UserError(f"tracking store {_shown(uri)}: its driver {error.name!r} "
                            "is not installed; for PostgreSQL: pip install psycopg2-binary, and "
                            "the address begins with postgresql+psycopg2://") from None
        with engine.connect():
            pass
