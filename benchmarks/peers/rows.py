"""The rows of docs/peers.md: what is done, by whom in which time, and the ratio."""

import re

__all__ = ["PEER_ROW", "print_comparison", "print_inability"]

PEER_ROW = re.compile(r"^peer \| (?P<cells>.* \| .* \| .* \| .*)$")


def print_comparison(work: str, peer: str, ours: float, theirs: float, unit: str, aim: str = "") -> None:
    """One row: ours, the peer's, and ours over the peer's, which is the smaller the better.

    Args:
        work: is done by both, on the same data with the same budget.
        peer: who does it, with its version.
        ours: what it took us.
        theirs: what it took the peer.
        unit: of both.
        aim: what is asked of the ratio.
    """
    told = f"{ours:.3g} {unit}, {peer} {theirs:.3g} {unit}"
    print(f"peer | {work} | {told} | {ours / theirs:.3g} | {aim}", flush=True)


def print_inability(work: str, peer: str, reason: str) -> None:
    """One row of what a peer cannot do, in its own words."""
    print(f"peer | {work} | {peer} cannot: {' '.join(reason.split())[:160].replace('|', '/')} | - | ", flush=True)
