"""State figures with source and age."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from operator import attrgetter

from amo_opt.config.schema import figure_fields
from amo_opt.protocol.state import ProtocolState
from amo_opt.report.sections.state import state_rows


def test_every_figure_of_the_state_is_listed(result):
    """Sourced ones with date and age, assumed ones with reason and range; what the file leaves out is not."""
    state = result.study.state
    rows = state_rows(state, date(2022, 5, 13))
    names = [".".join(key) for key, _ in figure_fields(ProtocolState)]
    assert [row.key for row in rows] == [name for name in names if attrgetter(name)(state).is_given]
    assert len(rows) >= 93
    assert {row.age for row in rows if not row.assumed} == {"3 days"}
    assert all(row.range != "–" and row.date == "–" for row in rows if row.assumed)


def test_a_source_without_a_date_has_the_states(result):
    """The file's own date is when the figure was read."""
    state = result.study.state
    figure = replace(state.pool.fee, assumed=None, source="contract", date=None)
    rows = state_rows(replace(state, pool=replace(state.pool, fee=figure)), date(2022, 5, 11))
    fee = next(row for row in rows if row.key == "pool.fee")
    assert (fee.date, fee.age) == ("2022-05-11", "0 days")
