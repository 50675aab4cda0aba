"""What a request costs the RP2040, in microseconds at 125 MHz and bytes of heap, by the emulator's clock: it is the same on
every run and machine, so each figure has a ceiling a little above it.  A change that needs more raises its ceiling and says so.
"""

from __future__ import annotations

from pathlib import Path

import pico
import pytest

_CEILINGS = {
    "import_us": 17_000,
    "import_bytes": 6_200,
    "hello_us": 1_700,
    "hello_bytes": 1_100,
    "browser_us": 2_000,
    "browser_bytes": 1_600,
}


@pytest.fixture(scope="module")
def costs(image: Path) -> dict[str, int]:
    found = pico.measured(image, pico.HERE / "programs/hello_cost.py")
    print("; ".join(f"{name} {found[name]}" for name in _CEILINGS))
    return found


@pytest.mark.parametrize("name", _CEILINGS)
def test_a_cost_stays_in_its_budget(costs: dict[str, int], name: str) -> None:
    assert 0 < costs[name] <= _CEILINGS[name]


def test_every_run_costs_the_same(costs: dict[str, int], image: Path) -> None:
    assert pico.measured(image, pico.HERE / "programs/hello_cost.py") == costs
