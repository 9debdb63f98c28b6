"""A JSON-RPC node for tests: our own doubles of the FRAX world's contracts on a local EVM, at the addresses and with the figures of May 2022,
and of crvUSD's monetary policies.

``python node.py`` compiles ``contracts/*.vy``, takes a free port of this machine, prints one line of JSON (``url``, ``addresses``, ``oldest``, ``latest``) and
answers until its standard input is closed, so that it ends with whoever started it. Nothing here is mainnet's bytecode; owners and figures are the tests'.

The last 48 hours are there, a block an hour, in which the pool fills with FRAX; of 24 blocks before them there are headers and no state, as on a pruned node.
``test_set``, ``test_code``, ``test_chain`` and ``test_reset`` change the world for one test.
"""

from __future__ import annotations

import copy
import json
import os
import re
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from eth_hash.auto import keccak
from pyrevm import EVM, AccountInfo, BlockEnv
from vyper.compiler import compile_code

ADDRESSES = {
    "metapool": "0xd632f22692FaC7611d2AA1C0D552930D43CAEd3B",
    "metapool_implementation": "0x5F890841f657d90E081bAbdB532A05996Af79Fe6",
    "base_pool": "0xbEbc44782C7dB0a1A60Cb6fe97d0b483032FF1C7",
    "base_lp": "0x6c3F90f043a72FA612cbac8115EE7e52BDe6E490",
    "curve_factory": "0xB9fC157394Af804a3578134A6585C0dc9cc990d4",
    "curve_owner_proxy": "0x8CF8Af108B3B46DDC6AD596aebb917E053F0D72b",
    "curve_parameter_agent": "0x4EEb3bA4f221cA16ed4A0cC7254E2E32DF948c5f",
    "stablecoin": "0x853d955aCEf822Db058eb8505911ED77F175b99e",
    "share_token": "0x3432B6A60D23Ca0dFCa7761B7ab56459D9C964D0",
    "pid_controller": "0x6de667F424E2b1b8fD39fC2e1b9a14c0103E9879",
    "amo_minter": "0xcf37B62109b537fa0Cb9A90Af4CA72f6fb85E241",
    "frax_pool": "0x2fE065e6FFEf9ac95ab39E5042744d695F560729",
    "collateral": "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
    "collateral_implementation": "0xa2327a938Febf5FEC13baCFb16Ae10EcBc4cbDCF",
    "stablecoin_feed": "0xB9E1E3A9feFf48998E45Fa90847ed4D467E8BcfD",
    "share_feed": "0x6Ebc52C8C1089be9eB3945C4350B68B8E4C2233f",
    "safe": "0xB1748C79709f4Ba2Dd82834B8c82D4a505003f27",
    "timelock": "0x8412ebf45bAC1B340BbE8F318b928C466c4E39CA",
    "curve_ownership_agent": "0x40907540d8a6C65c637785e8f8B742ae6b0b9968",
    "monetary_policy": "0x1E7d3bf98d3f8D8CE193236c3e0eC4b00e32DaaE",
    "monetary_policy-eth": "0xBB3fda661149f6E45D829D5dd54a1608577c5Fa1",
    "monetary_policy-btc": "0xb8687d7dc9d8fa32fabde63E19b2dBC9bB8B2138",
    "monetary_policy-sfrxeth": "0xc684432FD6322c6D58b6bC5d28B18569aA0AD0A1",
}
NOBODY = "0x" + "0" * 40
HOURS, HEADERS = 48, 24
LATEST, NOW, HOUR = 14_754_000, 1_652_258_448, 3600
IMPLEMENTATION = 0x360894A13BA1A3210667C828492DB98DCA3E2076CC3735A920A3CA505D382BBC
E18 = 10**18


@dataclass
class Account:
    code: bytes = b""
    storage: dict[int, int] = field(default_factory=dict)
    balance: int = 0
    layout: dict[str, Any] = field(default_factory=dict)

    def _place(self, name: str, keys: tuple[Any, ...]) -> tuple[int, str]:
        """Slot and type of a variable; ``keys`` are a mapping's or a list's."""
        place, of = self.layout[name]["slot"], self.layout[name]["type"]
        for key in keys:
            place = int.from_bytes(keccak(place.to_bytes(32, "big") + word(key)), "big") if of.startswith("HashMap") else place + int(key)
        return place, of

    def get(self, name: str, *keys: Any) -> int:
        """A number of the contract by name."""
        return self.storage.get(self._place(name, keys)[0], 0)

    def put(self, name: str, value: Any, *keys: Any) -> None:
        """A variable of the contract by name."""
        place, of = self._place(name, keys)
        if isinstance(value, list):  # of a length that may change
            self.storage[place] = len(value)
            self.storage.update({place + 1 + each: int.from_bytes(word(item), "big") for each, item in enumerate(value)})
        elif of.startswith("String"):
            self.storage[place] = len(value)
            self.storage[place + 1] = int.from_bytes(value.encode().ljust(32, b"\0"), "big")
        else:
            self.storage[place] = int.from_bytes(word(value), "big")


def word(value: Any) -> bytes:
    """32 bytes of an address, a number of either sign or a truth."""
    number = int(value, 16) if isinstance(value, str) else int(value)
    return (number % 2**256).to_bytes(32, "big")


def minimal_proxy(to: str) -> bytes:
    """EIP-1167: what calls the address that stands in the code itself."""
    return bytes.fromhex(f"363d3d373d3d3d363d73{to[2:].lower()}5af43d82803e903d91602b57fd5bf3")


def slot_proxy() -> bytes:
    """The same with the address in EIP-1967's slot."""
    return bytes.fromhex(f"363d3d373d3d3d363d7f{IMPLEMENTATION:064x}545af43d82803e903d91603857fd5bf3")


def compiled() -> dict[str, tuple[bytes, dict[str, Any]]]:
    """Runtime code and storage layout of every double."""
    found = {}
    for path in sorted((Path(__file__).parent / "contracts").glob("*.vy")):
        out = compile_code(path.read_text(encoding="utf-8"), output_formats=["bytecode_runtime", "layout"])
        found[path.stem] = bytes.fromhex(out["bytecode_runtime"][2:]), dict(out["layout"].get("storage_layout", {}))
    return found


def world() -> dict[str, Account]:
    """Accounts by address in small letters, as they stand at the latest block."""
    doubles, at = compiled(), ADDRESSES
    accounts: dict[str, Account] = {}

    def deploy(entry: str, double: str, /, **values: Any) -> Account:
        code, layout = doubles[double]
        account = accounts[at[entry].lower()] = Account(code=code, layout=layout)
        for variable, value in values.items():
            account.put(variable, value)
        return account

    governed = {"owner": at["safe"], "timelock_address": at["timelock"]}
    deploy("safe", "safe", threshold=3, owners=[f"0x{each:040x}" for each in range(0xA11CE, 0xA11CE + 5)], nonce=7)
    deploy("timelock", "safe", threshold=1, owners=[at["safe"]])
    deploy("curve_parameter_agent", "safe", threshold=1, owners=["0xBCfF8B0b9419b9A88c44546519b1e909cF330399"])
    deploy("curve_factory", "factory", admin=at["curve_owner_proxy"])
    deploy("curve_owner_proxy", "owner_proxy", parameter_admin=at["curve_parameter_agent"])

    pool = deploy("metapool", "metapool", factory=at["curve_factory"], fee=4 * 10**6, initial_A=150_000, future_A=150_000)
    pool.code = minimal_proxy(at["metapool_implementation"])
    pool.put("totalSupply", 2_687_000_000 * E18)
    pool.put("virtual_price", 1_006_500_000_000_000_000)
    for each, (coin, balance) in enumerate((("stablecoin", 1_586_444_839_830_000_000), ("base_lp", 1_109_657_725_200_000_000))):
        pool.put("coins", at[coin], each)
        pool.put("balances", balance * 10**9, each)
    accounts[at["metapool_implementation"].lower()] = Account(code=doubles["metapool"][0])

    base = deploy("base_pool", "base_pool", fee=10**6, admin_fee=5 * 10**9, A=2000, virtual_price=1_021_014_189_000_000_000)
    for each, (balance, decimals) in enumerate(((498_600_000, 18), (986_100_000, 6), (986_200_000, 6))):
        base.put("balances", balance * 10**decimals, each)
    base.put("coins", at["collateral"], 1)
    lp = deploy("base_lp", "token", name="Curve.fi DAI/USDC/USDT", symbol="3Crv", decimals=18, totalSupply=2_420_045_000 * E18)
    lp.put("balanceOf", 1_109_657_725_200_000_000 * 10**9, at["metapool"])

    coin = deploy("stablecoin", "stablecoin", **governed, global_collateral_ratio=10**6, frax_step=2500, refresh_cooldown=3600)
    for name, value in (("price_target", 10**6), ("price_band", 5000), ("frax_price", 999_924), ("fxs_price", 17_855_335)):
        coin.put(name, value)
    coin.put("last_call_time", NOW - 1000)
    coin.put("totalSupply", 2_600_092_892 * E18)
    coin.put("frax_pools_array", [at["frax_pool"], at["amo_minter"]])
    deploy("share_token", "token", name="Frax Share", symbol="FXS", decimals=18, totalSupply=100_000_000 * E18)
    bands = {"FRAX_top_band": 1_005_000, "FRAX_bottom_band": 995_000, "GR_top_band": 1000, "GR_bottom_band": 1000}
    deploy("pid_controller", "pid_controller", **governed, frax_step=2500, internal_cooldown=3600, **bands)

    minter = deploy("amo_minter", "amo_minter", **governed, collateral_address=at["collateral"], pool=at["frax_pool"])
    books = {"frax_mint_cap": 1_300_046_446 * E18, "frax_mint_sum": 1_270_000_000 * E18, "fxs_mint_cap": 100_000_000 * E18}
    books |= {"collat_borrow_cap": 872_466_718 * 10**6, "collat_borrowed_sum": 1_156_000_000 * 10**6, "min_cr": 810_000}
    books |= {"missing_decimals": 12, "fraxDollarBalanceStored": 2_426_000_000 * E18, "collatDollarBalanceStored": 1_156_000_000 * E18}
    for name, value in books.items():
        minter.put(name, value)

    doors = deploy("frax_pool", "frax_pool", **governed, mint_price_threshold=1_003_300, redeem_price_threshold=993_300)
    fees = {"minting_fee": 5500, "redemption_fee": 4500, "redemption_delay": 2, "bonus_rate": 7500}
    feeds = {"priceFeedFRAXUSD": at["stablecoin_feed"], "priceFeedFXSUSD": at["share_feed"]}
    for name, value in {**fees, **feeds, "bbkMaxColE18OutPerHour": 1000 * E18, "rctMaxFxsOutPerHour": 1000 * E18}.items():
        doors.put(name, value)
    for name, value in (("collateral_addresses", at["collateral"]), ("missing_decimals", 12), ("pool_ceilings", 500_000_000 * 10**6)):
        doors.put(name, value, 0)
    doors.put("collateral_prices", 10**6, 0)
    doors.put("enabled_collaterals", True, at["collateral"])
    doors.put("amo_minter_addresses", True, at["amo_minter"])

    usdc = deploy("collateral", "token", name="USD Coin", symbol="USDC", decimals=6, totalSupply=48_000_000_000 * 10**6)
    usdc.code = slot_proxy()
    usdc.storage[IMPLEMENTATION] = int(at["collateral_implementation"], 16)
    usdc.put("balanceOf", 90_000_000 * 10**6, at["frax_pool"])
    accounts[at["collateral_implementation"].lower()] = Account(code=doubles["token"][0])
    deploy("curve_ownership_agent", "safe", threshold=1, owners=["0xE478de485ad2fe566d49342Cbd03E49ed7DB3356"])
    for name in (each for each in at if each.startswith("monetary_policy")):
        policy = {"rate0": 3_488_077_118, "sigma": 2 * 10**16, "target_debt_fraction": 10**17}
        deploy(name, "monetary_policy", admin=at["curve_ownership_agent"], **policy)
    for name, answer in (("stablecoin_feed", 99_992_450), ("share_feed", 1_785_533_539)):
        deploy(name, "feed", decimals=8, round=1, answer=answer, started=NOW, updated=NOW)
    return accounts


def hours_before(accounts: dict[str, Account], hours: int) -> None:
    """The world as it stood that many hours before the latest block: the pool fills with FRAX, which is minted meanwhile."""
    pool, coin = accounts[ADDRESSES["metapool"].lower()], accounts[ADDRESSES["stablecoin"].lower()]
    for account, name, moved, *keys in (
        (pool, "balances", -5_000_000, 0),
        (pool, "balances", 4_000_000, 1),
        (coin, "totalSupply", -1_000_000),
    ):
        account.put(name, account.get(name, *keys) + moved * E18 * hours, *keys)


class RpcError(Exception):
    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, **({} if data is None else {"data": data})}


class Chain:
    """The methods of the node, each by its own name."""

    def __init__(self) -> None:
        self.first = world()
        self.test_reset()

    def test_reset(self) -> bool:
        self.accounts, self.chain = copy.deepcopy(self.first), 1
        return True

    def test_chain(self, chain: int) -> bool:
        self.chain = chain
        return True

    def test_set(self, contract: str, name: str, value: Any, *keys: Any) -> bool:
        """A variable of a contract's at every block; a number of more than 53 bits as text."""
        self.accounts[ADDRESSES[contract].lower()].put(name, int(value, 0) if isinstance(value, str) else value, *keys)
        return True

    def test_code(self, contract: str, code: str) -> bool:
        self.accounts[ADDRESSES[contract].lower()].code = bytes.fromhex(code[2:])
        return True

    # -- blocks --

    def number(self, which: Any) -> int:
        """A block's number from what names it: a number, a tag, or EIP-1898's object."""
        if isinstance(which, dict):
            if "blockHash" in which:
                found = next((each for each in self.numbers() if self.hash(each) == which["blockHash"].lower()), None)
                if found is None:
                    raise RpcError(-32000, "header for hash not found")
                return found
            which = which["blockNumber"]
        if which in {"latest", "pending", "safe", "finalized", None}:
            return LATEST
        number = self.numbers()[0] if which == "earliest" else int(which, 16)
        if number not in self.numbers():
            raise RpcError(-32000, "header not found")
        return number

    @staticmethod
    def numbers() -> range:
        return range(LATEST - HOURS - HEADERS, LATEST + 1)

    @staticmethod
    def hash(number: int) -> str:
        return "0x" + keccak(f"amo-opt's doubles, block {number}".encode()).hex()

    @staticmethod
    def time(number: int) -> int:
        return NOW - (LATEST - number) * HOUR

    def header(self, number: int) -> dict[str, Any]:
        nothing = "0x" + "0" * 64
        roots = dict.fromkeys(("stateRoot", "transactionsRoot", "receiptsRoot", "sha3Uncles", "mixHash"), nothing)
        counts = {
            "gasLimit": hex(30_000_000),
            "gasUsed": "0x0",
            "difficulty": "0x1",
            "totalDifficulty": "0x1",
            "size": "0x220",
            "baseFeePerGas": "0x0",
        }
        rest = {
            "miner": NOBODY,
            "nonce": "0x0000000000000000",
            "extraData": "0x",
            "logsBloom": "0x" + "0" * 512,
            "transactions": [],
            "uncles": [],
        }
        here = {"number": hex(number), "hash": self.hash(number), "parentHash": self.hash(number - 1), "timestamp": hex(self.time(number))}
        return {**here, **roots, **counts, **rest}

    def eth_getBlockByNumber(self, which: Any, full: bool = False) -> Any:
        try:
            return self.header(self.number(which))
        except RpcError:
            return None

    def eth_getBlockByHash(self, which: str, full: bool = False) -> Any:
        return self.eth_getBlockByNumber({"blockHash": which})

    def eth_blockNumber(self) -> str:
        return hex(LATEST)

    def eth_chainId(self) -> str:
        return hex(self.chain)

    def web3_clientVersion(self) -> str:
        return "amo-opt's tests: doubles, not mainnet"

    def net_version(self) -> str:
        return str(self.chain)

    def eth_syncing(self) -> bool:
        return False

    def eth_gasPrice(self) -> str:
        return "0x0"

    # -- state --

    def state(self, which: Any) -> tuple[int, dict[str, Account]]:
        number = self.number(which)
        if number < LATEST - HOURS:
            raise RpcError(-32000, f"missing trie node {self.hash(number)[2:]} (path ) state is not available")
        accounts = copy.deepcopy(self.accounts)
        hours_before(accounts, LATEST - number)
        return number, accounts

    def account(self, address: str, which: Any) -> Account:
        return self.state(which)[1].get(address.lower(), Account())

    def eth_getCode(self, address: str, which: Any = "latest") -> str:
        return "0x" + self.account(address, which).code.hex()

    def eth_getStorageAt(self, address: str, slot: str, which: Any = "latest") -> str:
        return f"0x{self.account(address, which).storage.get(int(slot, 16), 0):064x}"

    def eth_getBalance(self, address: str, which: Any = "latest") -> str:
        return hex(self.account(address, which).balance)

    def eth_getTransactionCount(self, address: str, which: Any = "latest") -> str:
        return hex(int(bool(self.account(address, which).code)))

    # -- calls --

    @staticmethod
    def evm(accounts: dict[str, Account], callers: set[str]) -> EVM:
        """The world on an EVM of its own. A caller's code is taken off, for this EVM takes no call from an account with code, and a node does."""
        evm = EVM()
        for address, account in accounts.items():
            evm.insert_account_info(address, AccountInfo(nonce=1, code=b"" if address in callers else account.code))
            if account.balance:
                evm.set_balance(address, account.balance)
            for slot, value in account.storage.items():
                evm.insert_account_storage(address, slot, value)
        return evm

    @staticmethod
    def run(evm: EVM, call: dict[str, Any]) -> dict[str, Any]:
        """One call, kept, as `eth_simulateV1` tells it."""
        data = bytes.fromhex((call.get("input") or call.get("data") or "0x")[2:])
        value = int(call.get("value", "0x0"), 16)
        try:
            returned = bytes(evm.message_call(call.get("from") or NOBODY, call["to"], data, value, 30_000_000))
        except RuntimeError as error:
            told = re.fullmatch(r"Revert \{ gas_used: (\d+), output: (0x[0-9a-f]*) \}", str(error))
            used, output = (int(told[1]), told[2]) if told else (30_000_000, "0x")
            reason = ""
            if output.startswith("0x08c379a0"):
                size = int(output[74:138], 16)
                reason = ": " + bytes.fromhex(output[138 : 138 + 2 * size]).decode()
            said = f"execution reverted{reason}" if told else f"vm error: {error}"
            told_as = {"code": 3 if told and output != "0x" else -32000, "message": said, "data": output}
            return {"returnData": output, "logs": [], "gasUsed": hex(used), "status": "0x0", "error": told_as}
        logs = [
            {"address": log.address, "topics": ["0x" + bytes(each).hex() for each in log.data[0]], "data": "0x" + bytes(log.data[1]).hex()}
            for log in evm.result.logs
        ]
        return {"returnData": "0x" + returned.hex(), "logs": logs, "gasUsed": hex(evm.result.gas_used), "status": "0x1"}

    def eth_call(self, call: dict[str, Any], which: Any = "latest") -> str:
        number, accounts = self.state(which)
        evm = self.evm(accounts, {str(call.get("from")).lower()})
        evm.set_block_env(BlockEnv(number=number, timestamp=self.time(number), basefee=0))
        found = self.run(evm, call)
        if "error" in found:
            error = found["error"]
            raise RpcError(error["code"], error["message"], None if error["data"] == "0x" else error["data"])
        return found["returnData"]

    def eth_simulateV1(self, asked: dict[str, Any], which: Any = "latest") -> list[dict[str, Any]]:
        number, accounts = self.state(which)
        blocks, time = asked["blockStateCalls"], self.time(number)
        calls = [call for block in blocks for call in block.get("calls", [])]
        callers = {str(call.get("from", NOBODY)).lower() for call in calls}
        if callers & {str(call["to"]).lower() for call in calls if accounts.get(str(call["to"]).lower(), Account()).code}:
            raise RpcError(-32602, "this test node does not call a contract that is a caller too")
        for address, change in (blocks[0].get("stateOverrides") or {}).items():
            account = accounts.setdefault(address.lower(), Account())
            account.code = bytes.fromhex(change["code"][2:]) if "code" in change else account.code
            account.balance = int(change["balance"], 16) if "balance" in change else account.balance
            account.storage.update({int(slot, 16): int(value, 16) for slot, value in change.get("stateDiff", {}).items()})
        if any(block.get("stateOverrides") for block in blocks[1:]):
            raise RpcError(-32602, "this test node overrides state in the first block alone")
        evm, found = self.evm(accounts, callers), []
        for block in blocks:
            overrides = block.get("blockOverrides") or {}
            number, time = int(overrides.get("number", hex(number + 1)), 16), int(overrides.get("time", hex(time + 12)), 16)
            evm.set_block_env(BlockEnv(number=number, timestamp=time, basefee=0))
            ran = [self.run(evm, call) for call in block.get("calls", [])]
            used = hex(sum(int(each["gasUsed"], 16) for each in ran))
            found.append({**self.header(number), "timestamp": hex(time), "gasUsed": used, "calls": ran})
        return found


def answer(chain: Chain, asked: dict[str, Any]) -> dict[str, Any]:
    said = {"jsonrpc": "2.0", "id": asked.get("id")}
    method = asked.get("method", "")
    if not re.match(r"(eth|net|test|web3)_", method) or not hasattr(chain, method):
        return {**said, "error": {"code": -32601, "message": f"the method {method} does not exist/is not available"}}
    try:
        return {**said, "result": getattr(chain, method)(*asked.get("params", []))}
    except RpcError as error:
        return {**said, "error": error.error}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return {**said, "error": {"code": -32602, "message": f"invalid argument: {type(error).__name__} {error}"}}


def main() -> None:
    chain = Chain()

    class Handler(BaseHTTPRequestHandler):  # HTTP/1.0: with connections kept open two clients hung
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = [answer(chain, each) for each in asked] if isinstance(asked, list) else answer(chain, asked)
            body = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=lambda: (sys.stdin.buffer.read(), os._exit(0)), daemon=True).start()
    ready = {"url": f"http://127.0.0.1:{server.server_port}", "addresses": ADDRESSES, "oldest": LATEST - HOURS, "latest": LATEST}
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
