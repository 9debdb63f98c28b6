"""Optuna's part: proposals, the storage they are kept in, certification on fresh paths, and what was decided.

optimise             search, then certify: from a study to a result; `restore` reads one back
space, problem, seeds, grid   what is searched
coordinator, prefetch, sampler, screening, stall   batches of fixed size, proposed from the storage
front, progress      what no other set beats on both axes; what whoever watches is told
study_store, storage, trials, seal, archive        the storage: whole trials, sealed; the certified result
dashboard_note                                   what optuna-dashboard shows beside the study
address, retry, run_lock, unfinished               its address without secrets, waiting for it, one run at a time, files in the making
aim, planning        where twins are worth drawing, and how many paths of which
certification, certifier, candidates, holdout, prune, climb, plateau, half_steps, change_cost, evidence, worst_trace   the choice on selection paths, the figures from holdout paths
rule, ruling, tails  when to recommend; what was decided, as values; what is left open of the tail
result               what a search hands back
quick                the least budget that can decide anything, and how many more paths a verdict asks for
doubt, robust, prior, explain   the share of joint draws of what is assumed in which the verdict holds, what explains where it fails
preference           of sets that do as well the one that hangs least on what is assumed
profile, movement, finding, importance, sensitivity, reverse_stress, break_points   questions asked of sets
"""
