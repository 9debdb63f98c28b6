"""The page of an evidence file: predictive bands beside two rivals, and stretches told their flows, as Markdown; and the goals that they are held against."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amo_opt.errors import AmoOptError
from amo_opt.files import write_whole
from amo_opt.wording import NOT_KNOWN

if TYPE_CHECKING:
    from amo_opt.scoring.forecasts import Judged, Share, Told, Validity

BEGIN, END = "<!-- pools: begin -->", "<!-- pools: end -->"
"""What a page holds around the part that is written here."""
DEPTH, SHARE = (0.05, 0.01), (0.25, 0.10)
"""How near a stretch must come that is told flow and liquidity, and one told flow alone: of the depth, and points of share."""
_CHOSEN = (
    "What a forecast is made by was fitted without the rows it predicts, with one exception of form: how a pool's scales drift (their mean and deviation over windows of 60 days) was a root mean square around "
    "nothing until the scores of that first form on pools-2022 had been seen (90% bands held 96% of rows; CRPS over that of nothing changing 0.79 of share, 1.34 of depth). It was changed once, and no other form was tried on them."
)
"""What was chosen after a look at the scores."""
_IDENTITY = " No forecast but a check of arithmetic: liquidity is all that the pool's invariant grew by, fees and what a coin accrues too, so nothing is left but hours and fees on sales."
FEW_ORIGINS = 20
"""Fewer origins than four blocks tell no interval."""
_WORDS = {"share": "The stablecoin's share of the pool", "depth": "Depth below the base, by the pool's own price"}


Goal = tuple[str, str, bool | None]
"""A goal, what came out, and whether it is met; None where no row tells."""


def goals(found: Validity) -> list[Goal]:
    """Each goal, what came out, and whether it is met."""
    share, depth = ({each.name: each for each in rows} for _, rows in found.tables())
    soon, late, deep = share.get("to 7 days, all"), share.get("27 to 31 days"), depth.get("to 7 days, all")
    both, flow = found.with_both, found.with_flow
    near = [each.within(*DEPTH) for each in (*both[0], *both[1])]
    of_flow, episodes = ([each.within(*SHARE) for each in stretches] for stretches in flow)

    def band(of: Judged | None, which: str) -> Share | None:
        return None if of is None else getattr(of, which)

    def shares(what: str, of: Share | None, low: float, high: float = 1.0) -> Goal:
        return (what, NOT_KNOWN, None) if of is None else (what, _told(of, percent=True), low <= of.value <= high)

    def ratio(what: str, of: Share | None, most: float) -> Goal:
        return (what, NOT_KNOWN, None) if of is None else (what, _told(of), of.value <= most)

    def counted(what: str, met: list[bool], least: float) -> Goal:
        return (what, f"{sum(met)} of {len(met)}", sum(met) >= least if met else None)

    return [
        ratio("required: CRPS of share to 7 days, over that of nothing changing, at most 1", band(soon, "over_still"), 1.0),
        shares("required: rows to 7 days inside the band of 90%, at least 80%", band(soon, "inside_90"), 0.80),
        shares("rows to 7 days inside the band of 90%, 80 to 97%", band(soon, "inside_90"), 0.80, 0.97),
        shares("rows to 7 days inside the band of 50%, 35 to 65%", band(soon, "inside_50"), 0.35, 0.65),
        ratio("CRPS of share to 7 days, over that of nothing changing, at most 0.85", band(soon, "over_still"), 0.85),
        ratio("… over that of a random walk with the full deviation, at most 1", band(soon, "over_full"), 1.0),
        ratio("… over that of a random walk with a calm day's deviation, at most 1", band(soon, "over_calm"), 1.0),
        ratio("CRPS of depth to 7 days, over that of nothing changing, at most 1", band(deep, "over_still"), 1.0),
        shares("rows 27 to 31 days ahead inside the band of 90%, at least 75%", band(late, "inside_90"), 0.75),
        counted("told flow and liquidity: depth within 5%, share within a point, always", near, len(near)),
        counted(
            "told flow alone: of fortnights deeper than 2 bp, depth within 25% and share within 10 points, at least 85%",
            of_flow,
            0.85 * len(of_flow),
        ),
        counted("… of episodes, at least 4", episodes, 4),
    ]


def verdict(met: bool | None) -> str:  # noqa: FBT001 - what came out, not a switch
    """Met, missed, or that no row tells."""
    return NOT_KNOWN if met is None else "met" if met else "missed"


def _told(share: Share, *, percent: bool = False) -> str:
    if percent:
        return f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%})"
    return f"{share.value:.3f} ({share.low:.3f} to {share.high:.3f})"


def page(found: Validity) -> str:
    """The part of docs/validity.md that stands between `BEGIN` and `END`."""
    lines = [
        f"# Predictive bands: {found.evidence}",
        "",
        (
            f"Written by `amo-opt validity` with `--page`. The pool alone (study {found.study}): no AMO's books are known for these histories, so this judges holders' and providers' spells and the "
            f"pool's arithmetic, not an AMO's rules. {found.paths} paths a forecast, each at a joint draw of its own."
        ),
        "",
        (
            "**Rolling origins**: from every seventh day, by the figures all pools share as fitted to the *other* pools, and the pool's own scales from its days before. "
            "**Episodes left out**: from an episode's first row, by all days of all pools but the episode's own. An episode's first day was chosen by hindsight: it is where the break begins, so a calibrated "
            "forecast from there is expected to miss more often than its bands say. Figures in brackets are 95% intervals from blocks of five origins; of fewer than 20 origins none is told."
        ),
        "",
        _CHOSEN,
        "",
        "| goal | found | |",
        "| --- | --: | --- |",
    ]
    lines += [f"| {what} | {came} | {'**missed**' if met is False else verdict(met)} |" for what, came, met in goals(found)]
    for what, rows in found.tables():
        lines += ["", f"## {_WORDS[what]}", "", "CRPS as a ratio to that of each rival: below 1 the forecast is the better one.", ""]
        lines += [
            "| rows | n | from days | inside 90% | inside 50% | CRPS over nothing changes | … a walk, full deviation | … a walk, calm deviation |",
            "| --- | --: | --: | --: | --: | --: | --: | --: |",
        ]
        lines += [_row(each) for each in rows]
        soon = rows[0]
        lines += ["", f"PIT by tenths, {soon.name} (each 10% if calibrated): {', '.join(f'{tenth:.0%}' for tenth in soon.tenths)}."]
    for title, (windows, episodes), within, after in (
        ("Told flow and liquidity", found.with_both, DEPTH, _IDENTITY),
        ("Told flow alone", found.with_flow, SHARE, " What goes with sales is by a fit that has seen these rows."),
    ):
        lines += ["", f"## {title}", ""]
        met = [sum(each.within(*within) for each in stretches) for stretches in (windows, episodes)]
        points = f"{100 * within[1]:.0f} point{'s' if within[1] > DEPTH[1] else ''}"
        lines.append(
            f"Depth within {within[0]:.0%} and last share within {points} of what was recorded: {met[0]} of {len(windows)} fortnights deeper than 2 bp, {met[1]} of {len(episodes)} episodes."
            f"{after} Episodes, and fortnights that miss:"
        )
        lines += [
            "",
            "| stretch | from | days | deepest, bp | model | last share | model | |",
            "| --- | --- | --: | --: | --: | --: | --: | --- |",
        ]
        lines += [_told_row(each, within) for each in (*episodes, *(one for one in windows if not one.within(*within)))]
    return "\n".join(lines)


def _row(each: Judged) -> str:
    few = each.origins < FEW_ORIGINS
    shares = [f"{share.value:.0%}" if few else _told(share, percent=True) for share in (each.inside_90, each.inside_50)]
    ratios = [
        f"{share.value:.3f}" if few and share is not None else "–" if share is None else _told(share)
        for share in (each.over_still, each.over_full, each.over_calm)
    ]
    return f"| {each.name} | {each.rows:,} | {each.origins} | {shares[0]} | {shares[1]} | {ratios[0]} | {ratios[1]} | {ratios[2]} |"


def _told_row(each: Told, within: tuple[float, float]) -> str:
    came = verdict(each.within(*within))
    return f"| {each.of} | {each.start} | {each.days:.0f} | {1e4 * each.depth:.1f} | {1e4 * each.depth_model:.1f} | {each.share:.3f} | {each.share_model:.3f} | {came} |"


def document(found: Validity) -> dict[str, Any]:
    """The same as one JSON document."""

    def share(each: Share | None) -> list[float | None] | None:
        return None if each is None else [value if math.isfinite(value) else None for value in each]

    def rows(judged: Sequence[Judged]) -> list[dict[str, Any]]:
        return [
            {"rows": each.name, "n": each.rows, "origins": each.origins, "inside_90": share(each.inside_90), "inside_50": share(each.inside_50),
             "crps_over_still": share(each.over_still), "crps_over_walk_full": share(each.over_full), "crps_over_walk_calm": share(each.over_calm), "pit_tenths": list(each.tenths)}
            for each in judged
        ]  # fmt: skip

    def told(stretches: Sequence[Told]) -> list[dict[str, Any]]:
        return [
            {"of": each.of, "start": each.start, "days": each.days, "depth": each.depth, "depth_model": each.depth_model, "share": each.share, "share_model": each.share_model}
            for each in stretches
        ]  # fmt: skip

    return {
        "schema": 1,
        "evidence": found.evidence,
        "study": found.study,
        "paths": found.paths,
        "goals": [{"goal": what, "found": came, "met": met} for what, came, met in goals(found)],
        **{what: rows(each) for what, each in found.tables()},
        "told_flow_and_liquidity": {"fortnights": told(found.with_both[0]), "episodes": told(found.with_both[1])},
        "told_flow": {"fortnights": told(found.with_flow[0]), "episodes": told(found.with_flow[1])},
    }


def part_of(page_text: str) -> str:
    """What stands between the marks of a page, with them; empty where it has none. Raises `AmoOptError` for marks that do not tell one part."""
    counts = page_text.count(BEGIN), page_text.count(END)
    begin, end = page_text.find(BEGIN), page_text.find(END)
    if counts == (0, 0):
        return ""
    if counts != (1, 1) or end < begin:
        raise AmoOptError(f"the page holds {counts[0]} of {BEGIN} and {counts[1]} of {END}; allowed: neither, or one of each in this order")
    return page_text[begin : end + len(END)]


def page_text_of(file: Path) -> str:
    """What a page says so far, nothing where there is none. Raises `AmoOptError` for what is no text, and as `part_of`."""
    if not file.exists():
        return ""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AmoOptError(f"{file}: cannot be read as text in UTF-8; allowed: a page in Markdown, or none yet") from error
    part_of(text)
    return text


def put_into(file: Path, found: Validity) -> None:
    """The part in its place between the marks of a page, or at the page's end; a page that is not there is made."""
    text = page_text_of(file)
    fresh = f"{BEGIN}\n\n{page(found)}\n\n{END}"
    former = part_of(text)
    write_whole(file, text.replace(former, fresh) if former else f"{text.rstrip()}\n\n{fresh}\n" if text.strip() else f"{fresh}\n")
