"""A result as documents: facts are computed once, everything else draws them. Nothing here simulates or scores, but for the one path that drawn_path.py replays.

    facts/            Result -> Facts: every number as text, every table row, verdict words, the decision box, thinned series
    figures/          Facts -> inline SVG, one module a figure
    templates/        the page and the proposal, one partial a section
    wording.py        units, scales, signs, metric titles, verdict chips; text of others made safe
    markdown.py       escaping of everything that is put into Markdown
    pages.py          Facts -> report.html, proposal.md and appendix.md
    appendix.py       topics -> parts that each fit into a post
    results_json.py   Result -> results.json
    sampling_json.py  how its paths were drawn, and the parts of its risk, there
    results_schema.py its JSON Schema
    drawn_path.py     one path simulated again and drawn, for the command line and notebooks
    noises.py         a scenario's noises in words
    plain_files.py    Result -> parameters.toml and trials.csv
    monitor.py        Facts -> monitor.json, the triggers of section 12 for a monitoring service
    write.py          all of it into a folder, whole or not at all

To add a section: a dataclass in facts/, a partial in templates/, one line in `pages.SECTIONS`.
"""

from __future__ import annotations

from amo_opt.report.write import check_folder, report_files, write_report

__all__ = ["check_folder", "report_files", "write_report"]
