"""The pool alone.

invariant            D, y, price and its inversion in float64, closed form where there is one
liquidity            a change of liquidity that is not in proportion, fees included
depth, depth_10bp, floor   what a pool can bear
exact                Curve's contracts to the last unit, in Python integers (`exact_…`: by part)
worst_case           the AMO contracts' own loops
ramp, units
jit, passes, kept    how the kernel's functions are compiled, and kept on disk
"""
