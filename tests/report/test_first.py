"""The first screen as values and as drawn: every verdict, and every odd input that a study can be."""

from __future__ import annotations

import math
import re
from dataclasses import fields, is_dataclass, replace
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from odd import ODD, VERDICTS, hostile, with_a_run, with_losses

from amo_opt.config.load import load_study
from amo_opt.report.first import Level, Used, first_of, used_of
from amo_opt.report.first_page import TALL, WIDE, Axis, axis_of, first_html, worst_words
from amo_opt.report.labels import amount_of
from amo_opt.report.sets import subject_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amo_opt.report.first import First
    from amo_opt.search.result import Result

BROKEN = re.compile(r"\bNone\b|\b[Nn]a[Nn]\b|\b[Ii]nf(?:inity)?\b|  |[{}<>]|\bTrue\b|\bFalse\b|\(\)| [,.;:]|\.\.|[−+]{2}|--")
"""What no sentence holds: a value that was not there, an empty bracket, a stop after a space."""


@pytest.fixture(scope="module", params=[*VERDICTS, *ODD, "too few paths"])
def case(request) -> tuple[str, Result]:
    """A result by its name."""
    if request.param == "too few paths":
        return request.param, request.getfixturevalue("blind")
    make = request.getfixturevalue("make_result")
    return request.param, make(request.param) if request.param in VERDICTS else ODD[request.param](make)


@pytest.fixture(scope="module")
def first(case) -> First:
    return first_of(case[1])


@pytest.fixture(scope="module")
def markup(first) -> str:
    return first_html(first)


def sentences(thing: object, name: str = "first") -> Iterator[tuple[str, str]]:
    """Every text of the first screen with where it stands, but for what is a key and no text."""
    if isinstance(thing, str):
        yield name, thing
    elif isinstance(thing, tuple):
        for place, each in enumerate(thing):
            yield from sentences(each, f"{name}[{place}]")
    elif is_dataclass(thing):
        for field in fields(thing):
            if field.name not in {"id", "key", "name", "of", "scenario", "names", "traces"} or (
                field.name == "of" and name.endswith("limits")
            ):
                yield from sentences(getattr(thing, field.name), f"{name}.{field.name}")


def test_every_sentence_is_whole(first, markup):
    """No value that was not there, no doubled space, no bracket of a template; a title is no sentence and a line for or against is one."""
    told = dict(sentences(first))
    for place, text in told.items():
        assert BROKEN.search(text) is None, (place, text)
        assert text == text.strip() or place.startswith("first.ask"), place
    shown = unescape(re.sub(r"<[^>]+>", "\n", markup))
    assert re.search(r"\b(None|nan|inf)\b", shown) is None
    assert not first.title.endswith(".")
    assert first.title[0].isupper()
    for line in (*first.pros, *first.cons):
        assert line[0].isupper() or line[0].isdigit(), line
        assert line.endswith("."), line
    assert 1 <= len(first.pros) <= 3
    assert len(first.cons) <= 3
    assert "".join(first.ask).endswith(".")


def test_the_kicker_says_whose_figures_and_how_many_paths(case, first):
    """Once for the whole first screen."""
    n = subject_of(case[1]).score(case[1].candidates[0]).yield_annual.n
    assert re.search(rf" · (state of \d+ \w+ \d{{4}}) · {n:,} ", first.kicker)


def test_a_tile_s_word_is_what_its_interval_says(case, first):
    """Better only with the whole interval on the good side, allowed only with the whole of it within the tolerance, worse only with the whole of it beyond."""
    paired = {each.metric: each for each in subject_of(case[1]).paired if not each.scenario}
    for tile, metric in ((first.yields, "yield"), (first.peg, "peg_cvar95_bps")):
        found, word = tile.difference, tile.state[1]
        if metric not in paired:
            assert (found, word) == (None, "today")
            continue
        low, high = sorted((found.low * tile.side, found.high * tile.side))
        if word == "better":
            assert low > 0.0
        elif word in ("within tolerance", "as good as today"):
            assert low >= -tile.allowed
            assert (word == "as good as today") == (low <= 0.0 <= high)
        elif word == "worse":
            assert high < -tile.allowed
        else:
            assert word == "not proven"
            assert low < -tile.allowed or paired[metric].verdict != "BETTER"


def _tiles(markup: str) -> list[str]:
    return re.findall(r'<section class="c4 rule">.*?</section>', markup, re.DOTALL)


def _numbers(pattern: str, text: str) -> list[tuple[float, ...]]:
    return [tuple(map(float, each)) if isinstance(each, tuple) else (float(each),) for each in re.findall(pattern, text)]


def test_the_interval_lies_on_its_axis_and_grey_is_what_is_allowed(first, markup):
    """The bar, its point and today's line are inside; grey reaches from the tolerance to the good end, and holds the bar exactly where the interval is allowed."""
    for tile, drawn in zip((first.yields, first.peg), _tiles(markup)[:2], strict=True):
        found = tile.difference
        if found is None:
            assert "<svg" not in drawn
            continue
        ((left, width),) = _numbers(r'<rect x="([\d.]+)%" y="27" width="([\d.]+)%"', drawn)
        ((point,),) = _numbers(r'<svg x="([\d.]+)%" y="30"', drawn)
        ((today,),) = _numbers(r'<line class="axis" x1="([\d.]+)%"', drawn)
        ((grey, grey_width),) = _numbers(r'<rect class="tol" x="([\d.]+)%" y="18" width="([\d.]+)%"', drawn)
        assert 0.0 < left < left + width < 100.01
        assert left - 0.01 <= point <= left + width + 0.01
        assert 0.0 < today < 100.0
        edge = grey if tile.side > 0 else grey + grey_width
        assert (grey + grey_width == pytest.approx(100.0, abs=0.02)) if tile.side > 0 else grey == 0.0
        assert (edge - today) * tile.side <= 0.011, "today is allowed"
        assert (edge == pytest.approx(today, abs=0.02)) == (tile.allowed == 0.0)
        if found.interval is None:
            assert width == pytest.approx(0.2), "no bar where no interval is known"
            assert "95% interval not known" in drawn
            continue
        inside = min(found.low * tile.side, found.high * tile.side) >= -tile.allowed
        beyond = (edge - left) if tile.side > 0 else (left + width - edge)
        assert (beyond <= 0.011) == inside
        told = re.search(r">95%: ([−+]?[\d.,]+) to ([−+]?[\d.,]+) (points|bp)<", drawn)
        ends = [float(each.replace("−", "-").replace(",", "")) for each in told.groups()[:2]]
        assert ends == pytest.approx([found.low, found.high], abs=0.5000001 * 10.0**-tile.digits)


def test_levels_are_shares_of_the_longest(first):
    """No bar is longer than its room; the parts of a bar are its figure."""
    for tile in (first.yields, first.peg):
        for level in tile.levels:
            assert isinstance(level, Level)
            assert math.fsum(part for part, _ in level.parts) <= 1.0 + 1e-9
            assert all(math.isfinite(part) for part, _ in level.parts)


def test_a_mark_stands_for_every_limit_whose_use_is_known(first, markup):
    """Circles are figures of paths, squares exact ones; each lies on the axis, and left of 100% exactly where its limit is kept."""
    drawn = _tiles(markup)[2]
    shown = [each.then if first.recommended and each.then is not None else each.now for each in first.limits.used]
    known = [value for value in shown if value is not None]
    assert drawn.count("<circle") + drawn.count('<rect x="-4"') == len(known)
    assert drawn.count('<rect x="-4"') == sum(each.exact for each, value in zip(first.limits.used, shown, strict=True) if value is not None)
    assert drawn.count("#b84f00") == sum(value > 1.0 for value in known)
    places = _numbers(r'<svg x="([\d.]+)%" y="-?\d+" overflow', drawn)
    assert all(0.0 <= x <= 106.0 for (x,) in places)
    limits = first.limits
    assert (limits.kept + limits.broken, limits.total) == (limits.total, len(limits.used))
    assert f"{limits.kept} of {limits.total} " in drawn
    own = [(value, each) for each, value in zip(limits.used, shown, strict=True) if value is not None and not each.exact]
    assert limits.nearest is (max(own, key=lambda pair: pair[0])[1] if own else None)


def test_what_a_limit_is_used_to_is_its_bound_s(result):
    """At most: bound over limit; at least: limit over bound; a bound that is not known is no figure; a limit of zero is kept at zero alone."""
    limit = next(each for each in result.candidates[0].holdout_score.constraints if each.key == "shortfall:calm")
    assert used_of(limit) == pytest.approx(limit.confidence_bound / limit.limit)
    assert used_of(replace(limit, at_least=True, estimate=replace(limit.estimate, low=2.0 * limit.limit))) == pytest.approx(0.5)
    assert used_of(replace(limit, estimate=replace(limit.estimate, high=math.inf))) is None
    assert used_of(replace(limit, limit=0.0)) == math.inf
    assert used_of(replace(limit, limit=0.0, estimate=replace(limit.estimate, value=0.0, high=0.0))) == 0.0
    assert used_of(replace(limit, estimate=replace(limit.estimate, value=-1.0, high=-1.0))) == 0.0


def test_every_set_has_a_name_of_its_own(case, first):
    """Today, Option B for the one that is shown, letters and then numbers for the others; no trial number anywhere on the screen."""
    assert set(first.names) == {each.id for each in case[1].candidates} | {"current"}
    assert len(set(first.names.values())) == len(first.names)
    other = subject_of(case[1]).other
    assert first.option == ("" if other is None else "Option B") == ("" if other is None else first.names[other.id])
    assert [spot.chosen for spot in first.spots].count(True) == (other is not None)
    assert not any(re.search(r"\btrial-\d", text) for _, text in sentences(first))


def _boxes(markup: str) -> list[tuple[str, tuple[float, float, float, float]]]:
    """Every label of the plane with the room that it takes at 1400 px."""
    found = []
    for x, y, dx, dy, kind, text in re.findall(
        r'<svg x="([\d.]+)%" y="([\d.]+)%" overflow="visible"><text x="(-?\d+)" y="(-?\d+)" class="([^"]*halo[^"]*)">([^<]*)</text>', markup
    ):
        width = 7.0 * len(unescape(text))
        left = float(x) * WIDE / 100.0 + float(dx) - (width if " e " in f"{kind} " else width / 2.0 if " m " in f"{kind} " else 0.0)
        base = float(y) * TALL / 100.0 + float(dy)
        found.append((f"{x},{y}", (left, base - 13.0, left + width, base + 4.0)))
    return found


def test_labels_of_the_plane_keep_apart_and_within(first, markup):
    """No label over another, none outside; the one that is shown always has its name."""
    labels = _boxes(markup)
    for place, (whose, one) in enumerate(labels):
        assert one[0] >= -0.5
        assert one[2] <= WIDE + 0.5
        assert one[1] >= -4.5
        for other, two in labels[place + 1 :]:
            if whose != other:
                assert one[2] <= two[0] or two[2] <= one[0] or one[3] <= two[1] or two[3] <= one[1], (whose, other)
    assert bool(labels) == any(spot.chosen for spot in first.spots)


def test_every_set_stands_on_the_plane_at_its_figures(case, first, markup):
    """In tolerances from today: yield to the right in points, peg risk upwards; filled on holdout paths, hollow on those it was chosen on."""
    by_id = {each.id: each for each in case[1].candidates}
    for spot in first.spots:
        rows = {each.metric: each for each in by_id[spot.id].holdout_paired or by_id[spot.id].selection_paired if not each.scenario}
        assert spot.yields.value == pytest.approx(100.0 * rows["yield"].difference.value)
        assert spot.peg.value == rows["peg_cvar95_bps"].difference.value
        assert spot.holdout == bool(by_id[spot.id].holdout_paired)
    others = [spot for spot in first.spots if not spot.chosen]
    assert markup.count('<circle r="4.6"') == len(others)
    assert markup.count('<circle r="4.6" fill="#fff"') == sum(not spot.holdout for spot in others)


def test_the_worst_path_is_told_from_its_series(case, first):
    """Day and depth of the lowest price, what the share token has lost, when the idle collateral is gone, where the outside supply ends: each read off the traces again."""
    result = case[1]
    if not result.worst_traces:
        assert first.worst is None
        return
    worst, (own,) = first.worst, [each for each in result.worst_traces if each.candidate == result.worst_paths[0].candidate]
    assert worst.of == own.candidate
    low = own.price.index(min(own.price))
    words = worst_words(first, worst)
    assert f"lowest on day {round(own.hours[low] / 24)}, {own.price[low]:.2f} {result.study.state.unit}" in words
    lost = 100.0 * (1.0 - own.share_price[low] / own.share_price[0])
    assert (f"the share token has lost {lost:.0f}%" in words) == (lost > 50.0)
    empty = next(hour for hour, idle in zip(own.hours, own.idle, strict=True) if idle <= 1.0)
    assert f"the idle collateral is gone on day {empty / 24.0:.0f}" in words
    ended = 100.0 * (own.supply[-1] / own.supply[0] - 1.0)
    assert f"Outside supply ends {abs(ended):.0f}% {'lower' if ended < 0 else 'higher'}" in words
    chance = next(
        (part.chance for part in result.risk_parts.get(own.candidate, ()) if part.scenario == own.scenario and part.kind == "events"), None
    )
    if chance is not None and worst.one_in is not None:
        assert f"About 1 in {float(f'{1.0 / chance.value:.2g}'):,.0f} paths" in words
    else:
        assert f"The worst of {worst.seen:,} paths drawn" in words


def test_the_worst_path_is_drawn_of_the_set_it_is_told_of(result):
    """Beside the series the least price, the least cover and where the supply ends, of the set that the sentence speaks of; one line a set, today's solid."""
    first = first_of(result)
    drawn = first_html(first).split("The worst path")[1]
    own = next(each for each in result.worst_traces if each.candidate == first.worst.of)
    assert first.worst.of != "current"
    assert f">low {min(own.price):.2f}<" in drawn
    assert f">low {100 * min(own.cover):.0f}<" in drawn
    lines = re.findall(r'<polyline class="series" points="([^"]+)"([^>]*)/>', drawn)
    assert len(lines) == 3 * len(result.worst_traces)
    assert all(len(points.split()) == len(own.hours) for points, _ in lines)
    assert ["stroke-dasharray" in more for _, more in lines] == [False, True] * 3
    assert all(0.0 <= float(point.split(",")[1]) <= 100.0 for points, _ in lines for point in points.split())


def test_figures_of_others_are_never_markup(make_result):
    """A study, a scenario and an assumption that are named like a page: text, on every part of the screen."""
    for verdict in VERDICTS:
        first = first_of(with_a_run(hostile(make_result(verdict))))
        page = first_html(first)
        assert "<script" not in page
        assert "alert(&quot;x&quot;)" in page
        assert "{{ 7*7 }}" in unescape(page)
        assert re.sub(r"<[^>]*>", "", page).count("<") == 0
        assert len(re.findall(r"<svg\b", page)) == page.count("</svg>")


def test_the_axis_holds_what_it_is_given():
    """Values at its ends are inside, one alone has room around it, and what is not finite does not count."""
    assert axis_of([1.0, 3.0], margin=0.1) == Axis(0.8, 3.2)
    alone = axis_of([2.0])
    assert alone.low < 2.0 < alone.high
    assert axis_of([0.0]) == Axis(-1.0, 1.0)
    assert axis_of([0.0, math.inf, math.nan, 1.0], margin=0.0 + 0.5) == Axis(-0.5, 1.5)
    for axis in (Axis(-0.3, 1.7), Axis(0.0, 1e-9), Axis(-2e8, 1e9), Axis(99.0, 99.5)):
        ticks = axis.ticks(4)
        assert 1 <= len(ticks) <= 4
        assert all(axis.low < each < axis.high for each in ticks)


def test_amounts_are_in_the_state_s_unit(make_result):
    """Dollars nowhere on the first screen of a study in ether."""
    first = first_of(ODD["ether"](make_result))
    texts = [text for _, text in sentences(first)]
    assert not [text for text in texts if re.search(r"USD(?![CPT])|dollar", text)]
    assert any("ETH" in text for text in first.pros)
    assert amount_of(1.8e6, "ETH") == "1.8m ETH"


def test_the_title_is_the_finding(make_result):
    """What changes and what it brings; what stands in the way of signing; why nothing changes; how many paths are missing; which limit nothing keeps."""
    result = make_result()
    assert first_of(result).title.startswith("Raise A to 2,210 and five more changes: +")
    lost = replace(result, doubt=replace(result.doubt, share=replace(result.doubt.share, value=0.4, low=0.3, high=0.5)))
    assert not lost.doubt.robust
    assert first_of(lost).title.startswith("Not ready to sign: +")
    assert "40% of assumption draws" in first_of(lost).title
    assert first_of(lost).ready is False
    assert "Nothing can be signed" in "".join(first_of(lost).ask)
    assert first_of(make_result("no change")).title.startswith("Keep today’s parameters: ")
    assert first_of(make_result("undecidable")).title == "Too few paths to decide: 1,500 a scenario are needed"
    assert re.fullmatch(r"No set keeps every limit: “.+” in .+ is the obstacle", first_of(make_result("infeasible")).title)
    assert first_of(with_losses(make_result("no change"))).title.startswith("Today’s parameters break 2 of 21 limits")


def test_a_use_is_shown_whichever_set_has_it(result):
    """Of the limits both sets' shares are kept, so that the matrix shows what moves."""
    used = first_of(result).limits.used
    assert all(isinstance(each, Used) and each.now is not None and each.then is not None for each in used)


def test_amounts_a_year_are_of_what_the_yield_is_over(make_result, frax):
    """Collateral alone, and where borrowers owe that too: the simulation divides by both."""
    alone = first_of(make_result(state=frax.state))
    assert alone.per_point == pytest.approx(frax.state.collateral_usd / 100.0)
    owing = load_study(Path(__file__).parents[2] / "studies" / "crvusd-2024.toml").state
    assert owing.cover_usd > 1.5 * owing.collateral_usd
    result = make_result(state=owing)
    first, now = first_of(result), subject_of(result).current
    score = subject_of(result).score(now)
    assert first.per_point == pytest.approx(owing.cover_usd / 100.0)
    assert amount_of(score.yield_annual.value * owing.cover_usd, "USD") in first.yields.levels[0].text
