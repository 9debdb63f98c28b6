"""Front matter: state figures with source and age."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from operator import attrgetter

from read import rows, tables, text

from amo_opt.config.schema import figure_fields
from amo_opt.protocol.state import ProtocolState
from amo_opt.report.account import Account
from amo_opt.report.sections import front
from amo_opt.report.sections.front import freshness, state_rows


def test_every_figure_of_the_state_is_listed(result):
    """Sourced ones with date and age, assumed ones with reason and range; what the file leaves out is not."""
    state = result.study.state
    found = state_rows(state, date(2022, 5, 13))
    names = [".".join(key) for key, _ in figure_fields(ProtocolState)]
    assert [row.key for row in found] == [name for name in names if attrgetter(name)(state).is_given]
    assert len(found) >= 93
    assert {row.age for row in found if not row.assumed} == {3}
    assert all(row.range != "–" and row.date is None for row in found if row.assumed)


def test_a_source_without_a_date_has_the_states(result):
    """The file's own date is when the figure was read."""
    state = result.study.state
    figure = replace(state.pool.fee, assumed=None, source="contract", date=None)
    found = state_rows(replace(state, pool=replace(state.pool, fee=figure)), date(2022, 5, 11))
    fee = next(row for row in found if row.key == "pool.fee")
    assert (fee.date, fee.age) == (date(2022, 5, 11), 0)


def test_each_sourced_figure_has_its_row(result):
    """With its age in words; and the chain is the state's, which the Safe batch is for, not always the same."""
    of = Account(result)
    (table,) = tables(front.blocks(of))
    found = rows(table)
    assert [row["Figure"].split("`")[-2] for row in found] == [each.key for each in of.sourced]
    assert {row["Age"] for row in found} == {"1 day"}
    assert "Ethereum (chain id 1)" in text(front.blocks(of))
    elsewhere = replace(result.study, state=replace(result.study.state, chain_id=10))
    assert "another chain (chain id 10)" in text(front.blocks(Account(replace(result, study=elsewhere))))


def test_the_front_matter_names_the_oldest_figure(result):
    """Age counts to the study's date."""
    study = result.study
    sourced = sum(not row.assumed for row in state_rows(study.state, study.date))
    assert freshness(Account(result)) == f"All {sourced} sourced figures are 1 day old on the study's date."
    old = replace(study.state.pool.stablecoin, source="pool", assumed=None, date=study.date.replace(year=2021))
    state = replace(study.state, pool=replace(study.state.pool, stablecoin=old))
    told = freshness(Account(replace(result, study=replace(study, state=state))))
    assert "pool.stablecoin, is 365 days old on the study's date; 1 is older than a week." in told
