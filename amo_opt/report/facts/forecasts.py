"""The page of an evidence file: predictive bands beside two rivals, and stretches told their flows, as Markdown; and the goals that they are held against."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amo_opt.files import write_whole

if TYPE_CHECKING:
    from amo_opt.scoring.forecasts import Judged, Share, Told, Validity

BEGIN, END = "<!-- pools: begin -->", "<!-- pools: end -->"
"""What a page holds around the part that is written here."""
DEPTH, SHARE = (0.05, 0.01), (0.25, 0.10)
"""How near a stretch must come that is told flow and liquidity, and one told flow alone: of the depth, and points of share."""
_WORDS = {"share": "The stablecoin's share of the pool", "depth": "Depth below the base, by the pool's own price"}


def goals(found: Validity) -> list[tuple[str, str, bool]]:
    """Each goal, what came out, and whether it is met."""
    share, depth = (dict((each.name, each) for each in rows) for _, rows in found.tables())
    soon, late, deep = share["to 7 days, all"], share["27 to 31 days"], depth["to 7 days, all"]
    assert soon.over_full is not None
    assert soon.over_calm is not None
    both, flow = found.with_both, found.with_flow
    near = sum(each.within(*DEPTH) for each in (*both[0], *both[1]))
    of_flow = sum(each.within(*SHARE) for each in flow[0])
    episodes = sum(each.within(*SHARE) for each in flow[1])
    return [
        (
            "required: CRPS of share to 7 days, over that of nothing changing, at most 1",
            _told(soon.over_still),
            soon.over_still.value <= 1.0,
        ),
        (
            "required: rows to 7 days inside the band of 90%, at least 80%",
            _told(soon.inside_90, percent=True),
            soon.inside_90.value >= 0.80,
        ),
        ("rows to 7 days inside the band of 90%, 80 to 97%", _told(soon.inside_90, percent=True), 0.80 <= soon.inside_90.value <= 0.97),
        ("rows to 7 days inside the band of 50%, 35 to 65%", _told(soon.inside_50, percent=True), 0.35 <= soon.inside_50.value <= 0.65),
        ("CRPS of share to 7 days, over that of nothing changing, at most 0.85", _told(soon.over_still), soon.over_still.value <= 0.85),
        ("… over that of a random walk with the full deviation, at most 1", _told(soon.over_full), soon.over_full.value <= 1.0),
        ("… over that of a random walk with a calm day's deviation, at most 1", _told(soon.over_calm), soon.over_calm.value <= 1.0),
        ("CRPS of depth to 7 days, over that of nothing changing, at most 1", _told(deep.over_still), deep.over_still.value <= 1.0),
        (
            "rows 27 to 31 days ahead inside the band of 90%, at least 75%",
            _told(late.inside_90, percent=True),
            late.inside_90.value >= 0.75,
        ),
        (
            "told flow and liquidity: depth within 5%, share within a point, always",
            f"{near} of {len(both[0]) + len(both[1])}",
            near == len(both[0]) + len(both[1]),
        ),
        (
            "told flow alone: of fortnights deeper than 2 bp, depth within 25% and share within 10 points, at least 85%",
            f"{of_flow} of {len(flow[0])}",
            of_flow >= 0.85 * len(flow[0]),
        ),
        ("… of episodes, at least 4", f"{episodes} of {len(flow[1])}", episodes >= 4),
    ]


def _told(share: Share, *, percent: bool = False) -> str:
    if percent:
        return f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%})"
    return f"{share.value:.3f} ({share.low:.3f} to {share.high:.3f})"


def page(found: Validity) -> str:
    """The part of docs/validity.md that stands between `BEGIN` and `END`."""
    lines = [
        "# Predictive bands: pools of 2020 to 2022",
        "",
        f"Written by `amo-opt validity studies/evidence/{found.evidence}.toml --page docs/validity.md`, about three minutes of CPU. The pool alone (`studies/{found.study}.toml`): no AMO's books are known for these histories, so this judges holders' and providers' spells and the pool's arithmetic, not an AMO's rules. "
        f"{found.paths} paths a forecast, each at a joint draw of its own.",
        "",
        "**Rolling origins**: from every seventh day, by the figures all pools share as fitted to the *other* pools, and the pool's own scales from its days before. **Episodes left out**: from an episode's first row, by all days of all pools but the episode's own. "
        "An episode's first day was chosen by hindsight: it is where the break begins, so a calibrated forecast from there is expected to miss more often than its bands say. Nothing here was chosen by these rows; figures in brackets are 95% intervals from blocks of five origins.",
        "",
        "| goal | found | |",
        "| --- | --: | --- |",
        *(f"| {what} | {came} | {'met' if met else '**missed**'} |" for what, came, met in goals(found)),
    ]
    for what, rows in found.tables():
        lines += ["", f"## {_WORDS[what]}", "", "CRPS as a ratio to that of each rival: below 1 the forecast is the better one.", ""]
        lines += [
            "| rows | n | from days | inside 90% | inside 50% | CRPS over nothing changes | … a walk, full deviation | … a walk, calm deviation |",
            "| --- | --: | --: | --: | --: | --: | --: | --: |",
        ]
        lines += [_row(each) for each in rows]
        soon = rows[0]
        lines += ["", f"PIT by tenths, {soon.name} (each 10% if calibrated): {', '.join(f'{tenth:.0%}' for tenth in soon.tenths)}."]
    for title, (windows, episodes), within in (
        ("Told flow and liquidity", found.with_both, DEPTH),
        ("Told flow alone", found.with_flow, SHARE),
    ):
        lines += ["", f"## {title}", ""]
        lines += [
            f"Depth within {within[0]:.0%} and last share within {100 * within[1]:.0f} point{'s' if within[1] > 0.01 else ''} of what was recorded: {sum(each.within(*within) for each in windows)} of {len(windows)} fortnights deeper than 2 bp, "
            f"{sum(each.within(*within) for each in episodes)} of {len(episodes)} episodes. Episodes, and fortnights that miss:",
            "",
            "| stretch | from | days | deepest, bp | model | last share | model | |",
            "| --- | --- | --: | --: | --: | --: | --: | --- |",
        ]
        lines += [_told_row(each, within) for each in (*episodes, *(one for one in windows if not one.within(*within)))]
    return "\n".join(lines)


def _row(each: Judged) -> str:
    few = each.origins < 4
    # blocks of one or three origins tell no interval
    shares = [f"{share.value:.0%}" if few else _told(share, percent=True) for share in (each.inside_90, each.inside_50)]
    ratios = [
        f"{share.value:.3f}" if few and share is not None else "–" if share is None else _told(share)
        for share in (each.over_still, each.over_full, each.over_calm)
    ]
    return f"| {each.name} | {each.rows:,} | {each.origins} | {shares[0]} | {shares[1]} | {ratios[0]} | {ratios[1]} | {ratios[2]} |"


def _told_row(each: Told, within: tuple[float, float]) -> str:
    verdict = "met" if each.within(*within) else "missed"
    return f"| {each.of} | {each.start} | {each.days:.0f} | {1e4 * each.depth:.1f} | {1e4 * each.depth_model:.1f} | {each.share:.3f} | {each.share_model:.3f} | {verdict} |"


def document(found: Validity) -> dict[str, Any]:
    """The same as one JSON document."""

    def share(each: Share | None) -> list[float] | None:
        return None if each is None else [each.value, each.low, each.high]

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
    """What stands between the marks of a page, with them; empty where it has none."""
    begin, end = page_text.find(BEGIN), page_text.find(END)
    return page_text[begin : end + len(END)] + "\n" if 0 <= begin < end else ""


def put_into(file: Path, found: Validity) -> None:
    """The part in its place between the marks of a page, or at the page's end; a page that is not there is made."""
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    fresh = f"{BEGIN}\n\n{page(found)}\n\n{END}\n"
    former = part_of(text)
    write_whole(file, text.replace(former, fresh) if former else (f"{text.rstrip()}\n\n{fresh}" if text else fresh))
