"""What all schedules have in common, and single ones of their own: addresses, tags, time zones, first days."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.project.schema.emails import wrong_address
from tests.unit.project_files import errors, write

ZONE = "    timezone: Europe/Berlin\n"
DEFAULTS = "  task: {cpu_units: 512, memory_mib: 1024}\n"
PLACES = {
    # where a setting of schedules stands: (what is replaced, with what, its line, columns before the value)
    "a schedule": (ZONE, "    @\n", 28, 4),
    "the defaults": (DEFAULTS, DEFAULTS + "  schedule: {@}\n", 18, 13),
}
MISTAKES = {
    "no address": ("email: [ops@acme.io, ¦nonsense]", "'nonsense' is not an e-mail address", "name@example.com"),
    "a space": ("email: [¦' ']", "' ' is not an e-mail address", "name@example.com"),
    "an address twice": ("email: [ops@acme.io, ¦ops@acme.io]", "'ops@acme.io' is listed twice", "remove one"),
    "an empty tag": ("tags: [a, ¦'']", "tag '' must have 1 to 100 characters", "shorten it"),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("text", "what", "fix"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_named_with_place_and_fix(tmp_path: Path, place: str, text: str, what: str, fix: str) -> None:
    """The same for one schedule and for all of them."""
    old, new, line, before = PLACES[place]
    ((where, said, advice),) = errors(write(tmp_path, (old, new.replace("@", text.replace("¦", ""), 1))))

    assert where == f"penstock.yaml:{line}:{before + text.index('¦') + 1}"
    assert what in said
    assert fix in advice


@pytest.mark.parametrize(
    "address",
    ["a@b.io", "ops+alarms@mail.acme-corp.co.uk", "o'neil_1@x.museum", "a/b=c@1.xn--p1ai", f"{'a' * 64}@b.io"],
)
def test_address(address: str) -> None:
    """What RFC 5321 calls a dot-atom, and a host's name."""
    assert wrong_address(address) is None


@pytest.mark.parametrize(
    "address",
    [
        *("", "@", "a", "a@", "@b.io", "a@b", "a@b.c", "a@b..io", "a@-b.io", "a@b-.io"),
        *(".a@b.io", "a.@b.io", "a..b@c.io", "a b@c.io", "a@b.io, c@d.io"),
        *("a@b.io;c@d.io", "Ops <ops@b.io>", "a@b@c.io", "a@[10.0.0.1]", "a@10.0.0.1"),
        *('"x"@b.io', "ü..@-.x", "ü@b.io", "a@ü.io", "a@\u2028.io", "a@b.io\n", f"{'a' * 65}@b.io"),
        *(f"a@{'b' * 64}.io", f"a@{'b.' * 126}io"),
    ],
)  # fmt: skip
def test_no_address(address: str) -> None:
    """Neither AWS nor Airflow could write to it; each gets a fix."""
    wrong = wrong_address(address)

    assert wrong is not None
    assert all(text.isprintable() for text in (wrong.what, wrong.fix))
    assert wrong.fix.startswith("write ")
