# pragma version ^0.4.1
# A double of Curve's metapool factory: who its pools obey. ABI: curvefi/curve-factory contracts/Factory.vy.

admin: public(address)
