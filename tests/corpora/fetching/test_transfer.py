"""Answers that no server should give: the file comes whole, or an error, and never too many bytes.
"""

import contextlib
import datetime
import gzip
import hashlib
import ipaddress
import itertools
import random
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pipeline.corpora.fetching import transfer
from pipeline.corpora.fetching.files import Patience, RemoteFile, fetch, obtain
from pipeline.errors import UserError
from tests.corpora.fetching.scripted_server import answer, answering, chunked, redirect
from tests.trials import trials

CONTENT = random.Random(1).randbytes(40_000)
QUICK = Patience(attempts=2, timeout=0.5, first_pause=0.0, longest_pause=0.01)


def remote(url: str, content: bytes = CONTENT, size: bool = True) -> RemoteFile:
    return RemoteFile("corpus.txt", None, url, sha256=hashlib.sha256(content).hexdigest(),
                      size=len(content) if size else None)


def got(url: str, folder: Path, size: bool = True, content: bytes = CONTENT) -> bytes:
    return obtain(remote(url, content, size), None, folder / "downloads", QUICK).read_bytes()


def refused(message: str, url: str, folder: Path, size: bool = True) -> None:
    with pytest.raises(UserError, match=message):
        got(url, folder, size)


def kept(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.rglob("corpus.txt*")}


def endless(folder: Path, seen: list[int]) -> Iterator[bytes]:
    """Blocks without end; `seen` are the bytes that lie on the disk meanwhile."""
    for _ in itertools.count():
        with contextlib.suppress(FileNotFoundError):  # it is thrown away meanwhile
            seen.append(max(kept(folder).values(), default=0))
        yield bytes(5000)


def test_more_than_the_known_size_is_never_on_the_disk(tmp_path: Path) -> None:
    seen: list[int] = []
    with answering(chunked(lambda: endless(tmp_path, seen))) as server:
        refused("corpus.txt: http://.* twice: expected 40000 bytes, got more", server.url,
                tmp_path)
        assert len(server.requests) == 2
    assert max(seen) <= len(CONTENT) and kept(tmp_path) == {}


def test_a_block_is_cut_where_the_file_ends(tmp_path: Path) -> None:
    with answering(chunked(lambda: [CONTENT, b"more"])) as server:
        with_more = transfer.Transfer(server.url, tmp_path / "x.part", 39_999, QUICK, False)
        with pytest.raises(transfer.Wrong, match="expected 39999 bytes, got more"):
            with_more.attempt()
    assert (tmp_path / "x.part").read_bytes() == CONTENT[:-1]


def test_nothing_is_read_of_a_body_of_another_size(tmp_path: Path) -> None:
    with answering(answer(CONTENT + b"more")) as server:
        refused("expected 40000 bytes, got 40004", server.url, tmp_path)
    assert kept(tmp_path) == {}
    with answering(answer(CONTENT[:-1])) as server:
        refused("expected 40000 bytes, got 39999", server.url, tmp_path)


def test_a_file_of_unknown_size_has_a_bound_too(tmp_path: Path,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "LARGEST", 100_000)
    seen: list[int] = []
    with answering(chunked(lambda: endless(tmp_path, seen))) as server:
        refused("expected 100000 bytes at most, got more", server.url, tmp_path, size=False)
    assert max(seen) <= 100_000 and kept(tmp_path) == {}


def test_a_part_that_is_longer_than_the_file_is_begun_anew(tmp_path: Path) -> None:
    with answering(answer(b"", status="404 Not Found"), answer(CONTENT)) as server:
        refused("HTTP 404", server.url, tmp_path)
        store, = (tmp_path / "downloads").iterdir()
        (store / "corpus.txt.part").write_bytes(CONTENT + b"more")
        assert got(server.url, tmp_path) == CONTENT
        assert b"Range" not in server.requests[1]


@pytest.mark.parametrize("body", [
    chunked(lambda: [CONTENT[:10_000], CONTENT[10_000:]]), answer(CONTENT, length=False),
    answer(CONTENT, "Content-Encoding: identity"),
    answer(CONTENT, "content-length: 40000", "CONTENT-TYPE: text/html")],
    ids=["chunked", "closed at its end", "identity", "twice the length"])
def test_every_honest_answer_is_taken(tmp_path: Path, body: bytes) -> None:
    with answering(body) as server:
        assert got(server.url, tmp_path) == CONTENT
        assert len(server.requests) == 1


def test_an_encoding_is_undone_where_the_bytes_are_not_the_file_s(tmp_path: Path) -> None:
    packed = gzip.compress(CONTENT)
    with answering(answer(packed, "Content-Encoding: gzip")) as server:
        assert got(server.url, tmp_path) == CONTENT
    with answering(answer(packed, "Content-Encoding: x-gzip")) as server:
        assert got(server.url, tmp_path / "archive", content=packed) == packed
        assert len(server.requests) == 1
    bomb = gzip.compress(bytes(2_000_000))
    with answering(answer(bomb, "Content-Encoding: gzip")) as server:
        refused("expected 40000 bytes, got more", server.url, tmp_path / "bomb")
    assert kept(tmp_path / "bomb") == {}


def test_redirections_lead_to_the_file(tmp_path: Path) -> None:
    with answering(redirect("/elsewhere"), redirect("?a=b", "308 Permanent Redirect"),
                   answer(CONTENT)) as server:
        assert got(server.url, tmp_path) == CONTENT
        assert [head.split()[1] for head in server.requests] == [
            b"/corpus.txt", b"/elsewhere", b"/elsewhere?a=b"]


@pytest.mark.parametrize("location, message", [
    ("/corpus.txt", "redirects"), ("file:///etc/hostname", "file:"), ("ftp://127.0.0.1/x", "ftp:"),
    ("data:text/plain,x", "data:"), (None, "HTTP 302"), ("http://[bad", "no address follows"),
    ("http://", "no address"), ("http://\x80\xff/", ""), ("//", ""),
    ("http://127.0.0.1:99999/", "")])
def test_other_redirections_end_at_once(location: str | None, message: str,
                                        tmp_path: Path) -> None:
    with answering(redirect(location)) as server:
        with pytest.raises(UserError) as caught:
            got(server.url, tmp_path)
        assert len(server.requests) <= 1 + 10
    for part in ("corpus.txt: could not be fetched", server.url, "place it at", message):
        assert part in str(caught.value)


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 that downloads of this test trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(
            [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256()))
    (tmp_path / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "key.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "cert.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    return context


def test_no_redirection_leaves_an_encrypted_address(tmp_path: Path, tls: ssl.SSLContext) -> None:
    with answering(answer(CONTENT)) as open_one:
        with answering(answer(CONTENT), tls=tls) as server:
            assert got(server.url, tmp_path / "a") == CONTENT
        with answering(redirect(open_one.url), tls=tls) as server:
            refused("no address of the same kind follows", server.url, tmp_path / "b")
        assert open_one.requests == []


def test_a_page_in_place_of_the_file_is_called_one(tmp_path: Path) -> None:
    page = b"\n <!DOCTYPE html><title>Log in</title>"
    with answering(redirect("/login"), answer(page)) as server:
        refused("gives a web page, as of a login or an error, other", server.url, tmp_path,
                size=False)


@pytest.mark.parametrize("head", [
    b"", b"\0\xff\xfe", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"SSH-2.0-x\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    *(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode("latin-1") + CONTENT[:100]
      for length in ("\u00b2", "-5", "5, 6", "9" * 5000, "abc", "40000")),
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc",
    *(f"HTTP/1.1 206 X\r\nContent-Range: {span}\r\n\r\nabc".encode()
      for span in ("", "bytes", "bytes 0-2/3", "bytes 5-2/*", "lines 1-2/3")),
    *(f"HTTP/1.1 416 X\r\nContent-Range: {span}\r\n\r\n".encode()
      for span in ("", "bytes */0", "bytes */-1")),
    *(f"HTTP/1.1 503 X\r\nRetry-After: {wish}\r\n\r\n".encode("latin-1")
      for wish in ("\u00b2", "-1", "nan", "9" * 5000, "Mon, 99 Foo 99999 99:99:99 GMT",
                   "Wed, 21 Oct 1 07:28:00 +9999", "1e9", "0x10")),
], ids=lambda head: str(head[:60])[2:-1].replace("\\r\\n", " "))
def test_nonsense_ends_in_an_error_that_names_file_and_address(head: bytes,
                                                               tmp_path: Path) -> None:
    with answering(head) as server, pytest.raises(UserError, match="corpus.txt: ") as caught:
        got(server.url, tmp_path)
    assert server.url in str(caught.value)
    assert all(size <= len(CONTENT) and name != "corpus.txt"
               for name, size in kept(tmp_path).items())


def test_bytes_that_drip_are_no_progress(tmp_path: Path) -> None:
    def dripping() -> Iterator[bytes]:
        yield answer(CONTENT)[:-len(CONTENT)]
        for byte in CONTENT:
            yield bytes([byte])
            time.sleep(0.05)

    with answering(dripping) as server:
        refused("only .* bytes in 0.5 s; 2 attempts", server.url, tmp_path)
        assert len(server.requests) == 2 and b"Range: bytes=" in server.requests[1]


PROGRAM = """
import resource, sys
from pathlib import Path
from pipeline.corpora.fetching.files import Patience, RemoteFile, fetch
from pipeline.ending import run_command
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
file = RemoteFile("corpus.txt", "corpus.txt", sys.argv[2], sha256=sys.argv[3], size=40_000)
run_command(lambda: fetch([file], Path(sys.argv[4]), Path(sys.argv[5]), Path(sys.argv[6])))
"""


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_full_disk_is_said_and_nothing_is_half_written(mirrored: bool, tmp_path: Path,
                                                         root: Path) -> None:
    (tmp_path / "mirror").mkdir()
    if mirrored:
        (tmp_path / "mirror" / "corpus.txt").write_bytes(CONTENT)
    with answering(answer(CONTENT)) as server:
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM, "20000", server.url,
             hashlib.sha256(CONTENT).hexdigest(), *(str(tmp_path / name) for name in
                                                    ("data", "mirror", "downloads"))],
            cwd=root, capture_output=True, text=True)
    assert run.returncode == 2 and run.stderr.startswith("error: ")
    name = "corpus.txt" if mirrored else "corpus.txt.part"
    assert f"{name} cannot be written (File too large); make room" in run.stderr
    assert not mirrored or not any((tmp_path / "data").iterdir())
    assert "corpus.txt" not in kept(tmp_path / "downloads")


def test_more_than_the_disk_has_room_for_is_not_begun(tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999999999\r\n\r\n"
    with answering(head) as server:
        refused("999999999999999999 bytes are to come and .* free", server.url, tmp_path,
                size=False)
    assert kept(tmp_path) == {}


def test_places_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    with answering(answer(CONTENT)) as server:
        (tmp_path / "downloads").write_text("a file")
        refused("corpus.txt cannot be written", server.url, tmp_path)
        (tmp_path / "data" / "corpus.txt").mkdir(parents=True)
        with pytest.raises(UserError, match="data/corpus.txt cannot be written"):
            fetch([remote(server.url)], tmp_path / "data", None, tmp_path / "other", QUICK)
        store, = (tmp_path / "other").iterdir()
        (store / "corpus.txt").unlink()
        (store / "corpus.txt").mkdir()
        with pytest.raises(UserError, match="corpus.txt cannot be written"):
            got_from = obtain(remote(server.url), None, tmp_path / "other", QUICK)
            assert got_from


@pytest.mark.fuzz
def test_random_answers_end_in_the_file_or_an_error(tmp_path: Path) -> None:
    """Honest answers with an edit or two, in random order, to a part that may be there already."""
    chance = random.Random(12)
    small = CONTENT[:300]
    honest = [answer(small), answer(small, length=False), redirect("/x"), redirect(None),
              answer(gzip.compress(small), "Content-Encoding: gzip"),
              answer(small[100:], "Content-Range: bytes 100-299/300", status="206 Partial"),
              answer(b"", "Content-Range: bytes */300", status="416 Range"),
              answer(b"", "Retry-After: 1", status="503 Busy"),
              b"".join(chunked(lambda: [small[:7], small[7:]])())]

    def edited() -> bytes:
        content = bytearray(chance.choice(honest))
        for _ in range(chance.choice([0, 1, 2])):
            place = chance.randrange(min(len(content), chance.choice([30, 200, 1000])))
            content[place : place + chance.choice([0, 1, 1, 9])] = chance.choice(
                [b"", b"\xb2", b"\r\n", b"0", bytes([chance.randrange(256)])])
        return bytes(content)

    whole = 0
    for number in range(trials(60, 3000)):
        folder = tmp_path / str(number)
        with answering(*(edited() for _ in range(6))) as server:
            try:
                whole += got(server.url, folder, bool(chance.getrandbits(1)), small) == small
            except UserError as error:
                assert server.url in str(error) and "corpus.txt" in str(error)
                assert "corpus.txt" not in kept(folder)
    assert whole > 5
