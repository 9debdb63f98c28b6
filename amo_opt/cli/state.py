"""``amo-opt state``: a state's figures as a chain holds them at a block; written, checked, recorded or replayed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from amo_opt.cli.options import check_folder, json_option, print_json
from amo_opt.cli.streams import say

if TYPE_CHECKING:
    from amo_opt.onchain.rpc import Node
    from amo_opt.onchain.state_file import Drift
    from amo_opt.onchain.state_read import Reading, Unread

TAGS = ("latest", "safe", "finalized", "earliest")
RPC_HELP = "A node of the chain (default: the variable AMO_OPT_RPC); it is never printed or recorded."


@click.command("state")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="STATE.toml")
@click.option("--rpc", default=None, metavar="URL", help=RPC_HELP)
@click.option("--block", "which", default="latest", metavar="N", help="Block by number, hash or tag (default: latest).")
@click.option("--write", is_flag=True, help="Put what was read into the file, each figure with its source; whole or not at all.")
@click.option("--check", is_flag=True, help="Exit 1 where the file and the chain differ.")
@click.option("--partial", is_flag=True, help="Go on where something cannot be read, and say what.")
@click.option(
    "--parameters",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    metavar="FILE",
    help="A set to compare with what is in force.",
)
@click.option(
    "--record", type=click.Path(path_type=Path, dir_okay=False), default=None, metavar="FILE", help="Keep every answer of the node."
)
@click.option(
    "--replay", type=click.Path(path_type=Path, dir_okay=False), default=None, metavar="FILE", help="Read a recording; no node is asked."
)
@json_option
def command(
    file: Path,
    rpc: str | None,
    which: str,
    parameters: Path | None,
    record: Path | None,
    replay: Path | None,
    *,
    write: bool,
    check: bool,
    partial: bool,
    as_json: bool,
) -> int:
    """Read a state's figures, values in force and roles from a chain, all at one block.

    \b
    Example:
      amo-opt state my-protocol/state.toml --rpc http://127.0.0.1:8545 --block 14754000 --check
      amo-opt state my-protocol/state.toml --replay answers.json --partial --write
    """
    from amo_opt.config.load import load_books, load_parameters
    from amo_opt.errors import AmoOptError
    from amo_opt.files import write_whole
    from amo_opt.onchain.recording import Recorder, Replay
    from amo_opt.onchain.rpc import node_of
    from amo_opt.onchain.state_file import drifted, set_drifted, write_state
    from amo_opt.onchain.state_read import read_state

    if write and check:
        raise click.UsageError("--write and --check: found both; a file is checked as it stands, or written")
    if replay is not None and (rpc is not None or record is not None):
        raise click.UsageError(f"--replay: found --{'rpc' if rpc is not None else 'record'} with it; a recording is read without a node")
    if record is not None:
        check_folder("--record", record)
    at = block_named(which)
    state = load_books(file)
    values = None if parameters is None else load_parameters(parameters, state)
    node: Node = Replay(replay) if replay is not None else node_of(rpc)
    keeper = None if record is None else Recorder(node)
    reading = read_state(node if keeper is None else keeper, state, at, partial=partial)
    if keeper is not None and record is not None:
        write_whole(record, keeper.text(f"What `amo-opt state` asked of the state {state.name}."))
        say(f"wrote {record}", err=True)
    unrecorded = [each for each in reading.unread if each.why == "not recorded"]
    if write and unrecorded and not partial:
        raise AmoOptError(
            f"{len(unrecorded)} reads are not in the recording, the first of them {unrecorded[0].what}, and nothing is written; --partial writes what it holds"
        )
    drifts = drifted(reading, file, state)
    of_set = () if values is None else set_drifted(reading, values, state)
    changed = write_state(reading, file, state, partial=partial) if write else ()
    if as_json:
        print_json(_document(reading, drifts, of_set, changed, written=write))
    else:
        _print(reading, drifts, of_set)
        for each in changed:
            say(f"{each.what}: {each.file} -> {each.chain}")
        if write:
            say(f"wrote {file}: {len(changed)} of {len(reading.figures) + len(reading.reads)} values are others than before")
    failed = any(each.why == "failed" for each in reading.unread)  # with --partial: what could not be read agrees with nothing
    return 1 if check and (drifts or of_set or failed) else 0


def block_named(which: str) -> int | str:
    """The block that ``--block`` names. Raises `click.UsageError` for what is no number, hash or tag."""
    if which.isdecimal() and which.isascii():
        return int(which)
    if which not in TAGS and not re.fullmatch("0x[0-9a-fA-F]{64}", which):
        raise click.UsageError(f"--block: found {which!r:.80}; allowed: a number, a hash (0x and 64 hexadecimal digits), {', '.join(TAGS)}")
    return which


def _print(reading: Reading, drifts: tuple[Drift, ...], of_set: tuple[Drift, ...]) -> None:
    """What was read, what differs, and what was not read."""
    from amo_opt.cli.tables import print_table

    say(f"chain {reading.chain_id}, block {reading.block.number} {reading.block.hash}")
    rows = [(each.name, f"{each.value.normalize():f}", ", ".join(given.key for given in each.of)) for each in reading.figures]
    print_table("figures of the state", (("figure", "value", "getters"), rows))
    held = [
        (each.key, str(each.raw), "" if each.value is None else f"{each.value.normalize():f}", each.read.meaning) for each in reading.reads
    ]
    print_table("values in force, books and roles", (("getter", "raw", "value", "meaning"), held))
    proxies = [(each.entry, each.implementation or "", each.standard or "", each.hash) for each in reading.codes]
    print_table("code", (("contract", "proxy of", "by", "Keccak-256"), proxies))
    for title, found in (("the file says otherwise", drifts), ("the parameter set says otherwise", of_set)):
        print_table(title, (("what", "file", "chain", "to set"), [(each.what, each.file, each.chain, each.to_set) for each in found]))
    print_table("not read", (("what", "why"), [(each.what, _why(each)) for each in reading.unread if each.why != "no getter"]))
    silent = [each.what for each in reading.unread if each.why == "no getter"]
    if silent:
        say(f"no getter is known for {len(silent)} figures: {', '.join(silent)}")
    for note in (*reading.notes, *(each.said for each in reading.unread if each.why == "failed")):
        say(f"note: {note}", err=True)


def _why(unread: Unread) -> str:
    return unread.said.rpartition("the state has ")[2] if unread.why == "no address" else unread.why


def _document(
    reading: Reading, drifts: tuple[Drift, ...], of_set: tuple[Drift, ...], changed: tuple[Drift, ...], *, written: bool
) -> dict[str, Any]:
    def told(found: tuple[Drift, ...]) -> list[dict[str, str]]:
        return [{"what": each.what, "file": each.file, "chain": each.chain, "to_set": each.to_set} for each in found]

    return {
        "schema": 1,
        "chain_id": reading.chain_id,
        "block": {"number": reading.block.number, "hash": reading.block.hash, "timestamp": reading.block.timestamp},
        "figures": [
            {
                "name": each.name,
                "value": f"{each.value:f}",
                "source": reading.source(each),
                "raw": {given.key: str(given.raw) for given in each.of},
            }
            for each in reading.figures
        ],
        "reads": [
            {
                "key": each.key,
                "address": each.address,
                "raw": str(each.raw),
                "value": None if each.value is None else f"{each.value:f}",
                "meaning": each.read.meaning,
                "parameter": each.read.parameter or None,
            }
            for each in reading.reads
        ],
        "code": [
            {
                "contract": each.entry,
                "address": each.address,
                "keccak256": each.hash,
                "implementation": each.implementation,
                "standard": each.standard,
            }
            for each in reading.codes
        ],
        "not_read": [{"what": each.what, "why": each.why, "said": each.said} for each in reading.unread],
        "notes": list(reading.notes),
        "drift": told(drifts),
        "parameters": told(of_set),
        "changed": told(changed),
        "written": written,
    }
