"""The worked study of a desk's chain, whole: the tests' node is given the coin's figures, the state is read from it into its file, the study is run and its batch executed there.

``python tests/onchain/local_study.py [FOLDER]`` writes studies/states/local-2022.toml and reports/local-2022 (or FOLDER) again, with `amo-opt` of the same environment.
``python tests/onchain/local_study.py --serve`` is that node alone: it prints its address and answers until its input ends (Ctrl-D).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
STATE, STUDY = ROOT / "studies/states/local-2022.toml", ROOT / "studies/local-2022.toml"
CHAIN = 31337
E18, E6 = 10**18, 10**6
DOORS, MINTER = "0x2fE065e6FFEf9ac95ab39E5042744d695F560729", "amo_minter"
FIGURES = (
    ("stablecoin", "totalSupply", 50_000_000 * E18),
    ("stablecoin", "global_collateral_ratio", E6),
    ("metapool", "balances", 12_000_000 * E18, 0),
    ("metapool", "balances", 11_750_000 * E18, 1),
    ("metapool", "initial_A", 50_000),
    ("metapool", "future_A", 50_000),
    ("collateral", "balanceOf", 46_500_000 * E6, DOORS),
    ("frax_pool", "minting_fee", 1000),
    ("frax_pool", "redemption_fee", 1000),
    ("frax_pool", "pool_ceilings", 60_000_000 * E6, 0),
    ("frax_pool", "mint_price_threshold", 1_001_000),
    ("frax_pool", "redeem_price_threshold", 999_000),
    (MINTER, "collat_borrow_cap", 4_040_000 * E6),
    (MINTER, "collat_borrowed_sum", 4_000_000 * E6),
    (MINTER, "frax_mint_cap", 0),
    (MINTER, "frax_mint_sum", 0),
    (MINTER, "min_cr", 800_000),
)
"""Contract, variable, value and keys, as the doubles hold them."""


def furnish(ask) -> None:
    """A node of the tests as this chain: ``ask(method, *params)`` asks it."""
    for contract, variable, value, *keys in FIGURES:
        ask("test_set", contract, variable, str(value), *keys)
    ask("test_chain", CHAIN)


@contextmanager
def served() -> Iterator[str]:
    """The address of the tests' node with the coin's figures, which ends with the block."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("node.py"))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        url = json.loads(process.stdout.readline())["url"]

        def ask(method, *params):
            body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}).encode()
            with urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": "application/json"})) as answer:  # noqa: S310 - our own node
                assert "error" not in json.loads(answer.read())

        furnish(ask)
        yield url
    finally:
        process.stdin.close()
        process.wait(timeout=10)


def main(folder: Path) -> int:
    with served() as url:
        program = [str(Path(sys.executable).with_name("amo-opt"))]
        node = {**os.environ, "AMO_OPT_RPC": url}
        read = subprocess.run([*program, "state", str(STATE), "--write", "--partial"], env=node, cwd=ROOT, check=False)
        if read.returncode:
            return read.returncode
        return subprocess.run([*program, "run", str(STUDY), "--dry-run", "--out", str(folder)], env=node, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        with served() as url:
            print(url, flush=True)  # noqa: T201 - for whoever asks it
            sys.stdin.read()
    else:
        sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "reports/local-2022"))
