"""Nodes made of answers, for tests that no process needs; and the command line as a person calls it."""

from __future__ import annotations

import contextlib
import io
import sys
from dataclasses import dataclass, field
from unittest import mock

import pytest

from amo_opt.onchain.abi import encoded, function
from amo_opt.onchain.rpc import Answer, Block

EMPTY = Answer(b"", None)


@dataclass
class World:
    """A node that answers what it was told: `says`, by address and call; everything else is no getter of a contract that is there."""

    chain: int = 1
    at: Block = field(default_factory=lambda: Block(100, "0x" + "ab" * 32, 1_706_657_099))
    answers: dict[tuple[str, bytes], Answer] = field(default_factory=dict)
    codes: dict[str, bytes] = field(default_factory=dict)

    def says(self, address, signature, *values, types=("uint256",), given=()):
        """What a call returns."""
        how = function(signature)
        self.answers[address.lower(), how.encode(list(given))] = Answer(encoded(types, values, place=signature), None)

    def fails(self, address, signature, answer, given=()):
        """What a call answers in place of a value."""
        self.answers[address.lower(), function(signature).encode(list(given))] = answer

    def chain_id(self):
        return self.chain

    def block(self, which="latest"):
        return self.at

    def calls(self, block, asked):
        assert block == self.at
        return [self.answers.get((to.lower(), data), EMPTY) for to, data in asked]

    def code(self, block, address):
        return self.codes.get(address.lower(), b"\x60\x00")

    def storage(self, block, address, slot):
        return bytes(32)

    def balance(self, block, address):
        return 0

    def request(self, method, params):
        raise NotImplementedError(method)


@dataclass(frozen=True)
class Called:
    """What a call of the command line left behind."""

    status: int
    out: str
    err: str


def call(*args):
    """``amo-opt ARGS…`` in this process."""
    from amo_opt.cli.main import main

    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["amo-opt", *map(str, args)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as stop,
    ):
        main()
    return Called(stop.value.code, out.getvalue(), err.getvalue())
