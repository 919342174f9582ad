"""Short forms of tests/torture: one round of each; what fails says with which seed."""
import os
import random
import sys

import pytest

from weirtest import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests", "torture"))

import torture  # noqa: E402


@pytest.mark.parametrize("name", ["flips", "stall", "slow", "leave", "clock"])
def test_one_round(name):
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    figures = torture.play(name, seed, 0)
    assert figures


def test_chain():
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    assert torture.play("chain", seed, 0, jobs=120)["kills"] >= 4


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mounts a small file system")
def test_full():
    assert torture.play("full", 1, 0)["rounds"] == 1
