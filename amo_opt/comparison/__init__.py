"""Two parameter sets on the same paths, one verdict.

- `gates`: what a candidate must keep, by default or from a file
- `figures`: what one set did path by path, and the stored run that holds it
- `judging`: paired differences to words, gates to pass, warn or fail
- `verdict`: `Comparison`, the one object that every output is written from
- `compare`: the call that puts them together
- `documents`, `markdown`, `github`: the outputs; `store` writes them
- `proposal`: what somebody posted, read as a set; `review`: judged, half the step beside it; `review_wording`, `review_pages`: said and written
"""
