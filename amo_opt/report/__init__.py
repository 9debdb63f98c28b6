"""A result as documents. Nothing here simulates or scores, but for the one path that drawn_path.py replays.

    account.py        a result and what several documents need of it, each worked out once
    blocks.py         paragraphs, tables, pictures: values until they are rendered, as HTML and as Markdown
    sections/         one file a section: Account -> blocks
    first.py          the first screen as values; first_page.py draws it
    pages.py          the page and the appendix out of sections; appendix.py cuts it into posts; proposal.py is the text to post
    figures/          pictures as inline SVG; the only place that imports matplotlib
    stories/          one path, scenarios, backtests, runs, profiles: pages and tables of their own
    ruling.py, limits.py                          what was decided and why, in words, wherever it is said
    payloads.py       the documents that a proposal is executed by
    wording.py, labels.py                         scales, titles, verdict chips; short names
    results_json.py, plain_files.py, monitor.py   the files for machines; results_schema.py: the form of the first
    write.py          all of it into a folder, whole or not at all

To add a section: its file in sections/, a line in `pages.SECTIONS`, its test.
"""

from __future__ import annotations

from amo_opt.report.write import check_folder, report_files, write_report

__all__ = ["check_folder", "report_files", "write_report"]
