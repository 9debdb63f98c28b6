"""Paths run: the step over one block of lanes, and the engine that fans blocks out.

program              the hour, stage by stage (`HOUR`)
opening              how a block begins, and the window's clean sheet
kernel               what walks the hour, and `run_block`
path_statistics      what a path leaves behind, and the checks that make a fault loud
compiled, compile_helper   the stages compiled, kept on disk, helped by other processes
pack                 study and set into the kernel's vectors
engine               `simulate`, `simulate_many`: blocks drawn once, run by every set
executor, cluster, remote, local_workers   who does the work: threads here, or a Dask cluster
spans                which paths: blocks of every scenario and component, and what each path weighs
outcome, columns, series, floor_supply     what comes out
market_block         a block's market: what changes hour by hour, the rest once
mixed, kept          a few paths of every scenario in one block; blocks used again
size                 memory and time, told before anything starts
backtest             a set replayed through a recorded history
"""
