"""Optuna's part: proposals, the storage they are kept in, certification on fresh paths, and what was decided.

optimise             search, then certify: from a study to a result; `restore` reads one back
space, problem, seeds, grid   what is searched
coordinator, prefetch, sampler, screening, stall   batches of fixed size, proposed from the storage
front, progress      what no other set beats on both axes; what whoever watches is told
study_store, storage, trials, seal, archive        the storage: whole trials, sealed; the certified result
address, retry, run_lock, unfinished               its address without secrets, waiting for it, one run at a time, files in the making
certification, certifier, holdout, prune, plateau, change_cost, evidence   the choice on selection paths, the figures from holdout paths
rule, ruling         when to recommend; what was decided, as values
result               what a search hands back
profile, movement, finding, importance, sensitivity, reverse_stress, break_points   questions asked of sets
"""
