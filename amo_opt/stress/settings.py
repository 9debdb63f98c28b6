"""The numbers a catalogue entry is made of, and a study may override with ``set``: name, range, unit, meaning."""

from __future__ import annotations

from amo_opt.protocol.settings import Setting

SETTINGS: dict[str, Setting] = {
    # -- when and how hard (stress entries) ----------------------------------------------------------------------------------
    "onset_day_low": Setting(0.0, 3650.0, "day", "earliest onset, days into the scored window"),
    "onset_day_high": Setting(0.0, 3650.0, "day", "latest onset; drawn uniformly, by path alone"),
    "size": Setting(0.0, 10.0, "", "multiplies price deviations, the share token's fall (in logs) and exits (hazard)"),
    "size_spread": Setting(0.0, 0.9, "", "each path's size is drawn from size × [1 − spread, 1 + spread]; exits keep their own draw"),
    "speed": Setting(0.05, 20.0, "", "2 = everything in half the hours (gate and freeze keep theirs)"),
    "speed_spread": Setting(0.0, 0.9, "", "each path's speed is drawn from speed × [1 − spread, 1 + spread]"),
    "exit_total_low": Setting(0.0, 0.95, "", "least share of external supply whose holders leave on news alone"),
    "exit_total_high": Setting(0.0, 0.95, "", "most of it; 0 = the waypoints' own total"),
    "gate_hours": Setting(0.0, 8760.0, "h", "hours from onset during which primary redemptions are gated"),
    "freeze_start_hours": Setting(0.0, 8760.0, "h", "hours from onset at which the lending market freezes"),
    "freeze_days_low": Setting(0.0, 365.0, "day", "shortest freeze"),
    "freeze_days_high": Setting(0.0, 365.0, "day", "longest freeze"),
    "freeze_utilisation": Setting(0.5, 0.99999, "", "utilisation of the lending market while frozen"),
    "freeze_free": Setting(0.0, 1e15, "tokens", "most that can be withdrawn an hour while frozen"),
    # -- base pool and coins -------------------------------------------------------------------------------------------------
    "base_coins": Setting(1.0, 3.0, "", "base pool of the episode: 3 = DAI, USDC and USDT at V(p), 1 = USDC alone", only=(1.0, 3.0)),
    "base_amplification": Setting(1.0, 1e6, "", "A of the three-coin base pool"),
    "coin_noise_sd": Setting(0.0, 0.05, "", "standard deviation of each coin's hourly price around its level"),
    "coin_noise_hours": Setting(0.01, 1e4, "h", "time constant of that noise"),
    # -- share token, lending markets, rewards, volume, flow, gas ---------------------------------------------------------------
    "share_daily_vol": Setting(0.0, 2.0, "", "daily volatility of the share token's log price"),
    "lending_deposits": Setting(1.0, 1e13, "tokens", "outside deposits of the lending market (Aave)"),
    "lending_deposits_sd": Setting(0.0, 2.0, "", "standard deviation of their log"),
    "lending_deposits_hours": Setting(0.01, 1e5, "h", "its time constant"),
    "lending_utilisation": Setting(0.0, 0.98, "", "utilisation with the state's AMO deposit"),
    "lending_utilisation_sd": Setting(0.0, 0.3, "", "its standard deviation"),
    "lending_utilisation_hours": Setting(0.01, 1e5, "h", "its time constant"),
    "investor_deposits": Setting(1.0, 1e13, "tokens", "outside deposits of the Collateral Investor's market"),
    "investor_deposits_sd": Setting(0.0, 2.0, "", "standard deviation of their log"),
    "investor_deposits_hours": Setting(0.01, 1e5, "h", "its time constant"),
    "investor_utilisation": Setting(0.0, 0.98, "", "utilisation of that market with the state's AMO deposit"),
    "investor_utilisation_sd": Setting(0.0, 0.3, "", "its standard deviation"),
    "investor_utilisation_hours": Setting(0.01, 1e5, "h", "its time constant"),
    "fraxlend_deposits": Setting(1.0, 1e13, "tokens", "stablecoin that others lend out where the Fraxlend AMO lends"),
    "fraxlend_deposits_sd": Setting(0.0, 2.0, "", "standard deviation of their log"),
    "fraxlend_deposits_hours": Setting(0.01, 1e5, "h", "its time constant"),
    "fraxlend_utilisation": Setting(0.0, 0.98, "", "utilisation of that market with the state's AMO deposit"),
    "fraxlend_utilisation_sd": Setting(0.0, 0.3, "", "its standard deviation"),
    "fraxlend_utilisation_hours": Setting(0.01, 1e5, "h", "its time constant"),
    "reward_tokens_week": Setting(0.0, 1e12, "tokens", "reward budget of the gauge a week"),
    "reward_token_price": Setting(0.0, 1e6, "USD/token", "price of the reward token at the start"),
    "reward_token_daily_vol": Setting(0.0, 2.0, "", "daily volatility of its log price"),
    "swap_volume_day": Setting(0.0, 1e13, "USD", "mean two-way volume a day"),
    "swap_volume_sd": Setting(0.0, 3.0, "", "standard deviation of its hourly log"),
    "swap_volume_hours": Setting(0.01, 1e4, "h", "its time constant"),
    "flow_sd": Setting(0.0, 1.0, "", "standard deviation of cumulative net demand, share of external supply"),
    "flow_hours": Setting(0.01, 1e5, "h", "its time constant"),
    "gas_gwei": Setting(0.0, 1e5, "gwei", "median gas price"),
    "gas_gwei_sd": Setting(0.0, 3.0, "", "standard deviation of its log"),
    "gas_gwei_hours": Setting(0.01, 1e5, "h", "its time constant"),
    "gas_units": Setting(0.0, 1e11, "gas", "gas of one AMO operation"),
    "eth_usd": Setting(0.0, 1e7, "USD/ETH", "price of one ETH"),
    # -- venue losses -----------------------------------------------------------------------------------------------------------
    "losses_certain": Setting(0.0, 1.0, "", "1 = one venue is hit at onset for sure, 0 = each at its yearly probability", only=(0.0, 1.0)),
    "aave_loss_yearly": Setting(0.0, 1.0, "1/year", "probability of a loss on Aave within a year"),
    "aave_loss_severity": Setting(0.0, 1.0, "", "share of what is lent on Aave that is lost; size does not scale it, nor those below"),
    "investor_loss_yearly": Setting(0.0, 1.0, "1/year", "probability of a loss in the Collateral Investor's market within a year"),
    "investor_loss_severity": Setting(0.0, 1.0, "", "share of what the Collateral Investor has lent that is lost"),
    "fraxlend_loss_yearly": Setting(0.0, 1.0, "1/year", "probability of bad debt on Fraxlend within a year"),
    "fraxlend_loss_severity": Setting(0.0, 1.0, "", "share of the borrowers' debt to Fraxlend that is lost"),
    "curve_loss_yearly": Setting(
        0.0, 1.0, "1/year", "probability of a loss in the pool, the gauge or where its LP tokens are staked, within a year"
    ),
    "curve_loss_severity": Setting(0.0, 1.0, "", "share of the AMO's LP tokens that is lost"),
    "coin_loss_yearly": Setting(0.0, 1.0, "1/year", "probability that the collateral coin is impaired within a year"),
    "coin_loss_severity": Setting(0.0, 1.0, "", "share of its price that the collateral coin loses, for good"),
}

ORDERED: tuple[tuple[str, str], ...] = (
    ("onset_day_low", "onset_day_high"),
    ("exit_total_low", "exit_total_high"),
    ("freeze_days_low", "freeze_days_high"),
)
"""Pairs whose first may not exceed the second."""

VENUES: dict[str, str] = {
    "aave": "of what is lent on Aave",
    "investor": "of what the Collateral Investor has lent",
    "fraxlend": "of the borrowers' debt to Fraxlend",
    "curve": "of the Curve AMO's LP tokens",
    "coin": "of USDC's price, for good",
}
"""Where a loss may strike, by the name that begins its settings, and what its severity is a share of."""
