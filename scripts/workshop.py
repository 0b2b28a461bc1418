"""What the measuring scripts share: where things are, and packages to compare with.

Nothing here knows a machine: everything is found from this file's place, or named by
WIREWATCH_SHARED (the folder with the test data) and WIREWATCH_BIN (the program to measure).
"""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def shared() -> pathlib.Path:
    """The folder with the test data."""
    return pathlib.Path(os.environ.get("WIREWATCH_SHARED", ROOT.parent / "shared")).resolve()


def binary() -> pathlib.Path:
    """The program to measure: WIREWATCH_BIN, else the release build, else the debug build."""
    given = os.environ.get("WIREWATCH_BIN")
    candidates = [given] if given else [TARGET / "release/wirewatch", TARGET / "debug/wirewatch"]
    for candidate in candidates:
        path = pathlib.Path(candidate).resolve()
        if path.is_file():
            return path
    sys.exit("no wirewatch binary: run `cargo build --release`, or set WIREWATCH_BIN")


def bench(name: str) -> pathlib.Path:
    """Builds a bench with the names of its functions, for profiles, and returns its path."""
    profile = {"CARGO_PROFILE_BENCH_STRIP": "none", "CARGO_PROFILE_BENCH_DEBUG": "line-tables-only"}
    command = ["cargo", "bench", "--bench", name, "--no-run", "--message-format=json"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | profile, stdout=subprocess.PIPE, check=True, text=True
    )
    messages = (json.loads(line) for line in done.stdout.splitlines())
    built = [m for m in messages if m.get("reason") == "compiler-artifact" and m.get("executable")]
    # The program itself is among them, and may come last.
    return pathlib.Path(next(m["executable"] for m in built if m["target"]["name"] == name))


def inside_venv(*packages: str) -> None:
    """Goes on in a virtual environment with these packages, which is made if it is not there."""
    folder = TARGET / "measure-venv"
    if pathlib.Path(sys.prefix).resolve() == folder.resolve():
        return
    python = folder / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    # Asked each time: another script may have made the environment, without these packages.
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, *packages], check=True)
    os.execv(python, [str(python), "-B", *sys.argv])


def unpacked(archive: str) -> pathlib.Path:
    """The folder with the content of an archive of the test data, such as feeds/x.tar.zst."""
    source = shared() / "data" / archive
    if not source.exists():
        sys.exit(f"{source} is not there; WIREWATCH_SHARED names the folder with the test data")
    folder = TARGET / "measure-data" / archive.removesuffix(".tar.zst")
    done = folder / ".unpacked"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        zstd = subprocess.Popen(["zstd", "-dc", source], stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", folder], stdin=zstd.stdout, check=True)
        if zstd.wait() != 0:
            sys.exit(f"zstd could not unpack {source}")
        done.touch()
    return folder


def write_between(page: pathlib.Path, name: str, text: str) -> None:
    """Puts text between <!-- name --> and <!-- /name --> in a page, in place of what is there."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    content = page.read_text()
    before, found, rest = content.partition(start)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        sys.exit(f"{page} has no {start} … {end}")
    page.write_text(f"{before}{start}\n{text.rstrip()}\n{end}{after}")


def table(head: list[str], rows: list[list[object]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"
