"""Section 14: how the same bytes are had again, and what the author is to fill in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.report.blocks import Block, Code, Pre, Strong, Text, ToFill
from amo_opt.report.sections.search import run_command, versions

if TYPE_CHECKING:
    from amo_opt.report.account import Account

DISCLAIMER = "who wrote this, who paid for it, which tokens and positions the author holds, and what the reader must not take it for."


def finding(_of: Account) -> str:
    """What it is good for."""
    return "How to get the same bytes"


def blocks(of: Account) -> list[Block]:
    """The command, versions and hashes."""
    installed = ", ".join(f"{name} {version or 'not installed'}" for name, version in versions().items())
    return [
        Text("In the study file's folder:"),
        Pre(run_command(of.result)),
        Text("Study hash ", Code(of.study.hash), ", SHA-256 of results.json ", Code(of.results_hash), "."),
        Text("Whether another machine finds the same results.json: ", Code("amo-opt verify DIR"), ", DIR being the folder of this report."),
        Text(f"Made with {installed}."),
        Text(
            Strong("Disclaimer and conflicts of interest. To be filled in by the author before posting:"),
            " ",
            ToFill(DISCLAIMER),
            kind="author",
        ),
    ]
