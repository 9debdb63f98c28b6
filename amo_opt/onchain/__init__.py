"""The chain: what is read from it, what would be sent to it, and what became of that when it was run. Nothing here signs or sends.

abi.py            a function of a contract, its selector, typed arguments to bytes and back
transaction.py    one transaction of a proposal, whatever it was written in
rpc.py            a node over JSON-RPC: batches, retries, deadlines, one block for all reads
recording.py      its answers kept, and given again without it
connection.py     one exchange over HTTP, without the node's address in any word of it
wire.py           numbers, bytes and reverts as JSON-RPC writes them
reads.py          all getters that tell something of a state
state_read.py     a state at one block
state_file.py     what drifted from its file, and the file with what was read
history_read.py   a history's rows, block by block
signatures.py     the setters on chain: typed arguments, limits, who sends them through what, what reads them back
calls.py          two parameter sets -> the calls between them, in whole on-chain integers
understood.py     somebody's transactions -> what they make of a parameter set, and the calls that are not understood
raw_integers.py   parameters as contracts hold them
safe_batch.py     transactions -> Safe's Transaction Builder file with its checksum, and back
written.py        values as files and votes write them, by type, and back
dao_vote.py       transactions -> the actions and the script of a vote of Curve's DAO, and back
governor.py       transactions -> a governor's propose(), and back
payload.py        any of these forms -> its transactions
dry_run.py        a payload executed without being sent, read back, reverted; engines/ do it
effects.py        what a call moves, whom its contract obeys, which of its limits it breaks
reverts.py        why a call failed, in words
execution_record.py   execution.json
"""
