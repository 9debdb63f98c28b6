# pragma version ^0.4.1
# A double of crvUSD's AggMonetaryPolicy2: what its admin sets, within its bounds, and nothing of the rate. ABI: curvefi/curve-stablecoin contracts/mpolicies/AggMonetaryPolicy2.vy @0f0ed839.

MAX_RATE: constant(uint256) = 43959106799
MAX_SIGMA: constant(uint256) = 10**18
MIN_SIGMA: constant(uint256) = 10**14
MAX_TARGET_DEBT_FRACTION: constant(uint256) = 10**18

admin: public(address)
rate0: public(uint256)
sigma: public(int256)
target_debt_fraction: public(uint256)


@external
def set_rate(rate: uint256):
    assert msg.sender == self.admin
    assert rate <= MAX_RATE
    self.rate0 = rate


@external
def set_sigma(sigma: int256):
    assert msg.sender == self.admin
    assert sigma >= convert(MIN_SIGMA, int256) and sigma <= convert(MAX_SIGMA, int256)
    self.sigma = sigma


@external
def set_target_debt_fraction(target_debt_fraction: uint256):
    assert msg.sender == self.admin
    assert target_debt_fraction > 0 and target_debt_fraction <= MAX_TARGET_DEBT_FRACTION
    self.target_debt_fraction = target_debt_fraction
