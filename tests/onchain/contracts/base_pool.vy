# pragma version ^0.4.1
# A double of Curve's 3pool: getters alone. ABI: curvefi/curve-contract contracts/pools/3pool/StableSwap3Pool.vy.

coins: public(address[3])
balances: public(uint256[3])
fee: public(uint256)
admin_fee: public(uint256)
owner: public(address)
A: public(uint256)
virtual_price: uint256


@view
@external
def get_virtual_price() -> uint256:
    return self.virtual_price
