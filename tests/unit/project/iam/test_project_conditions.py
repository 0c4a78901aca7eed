"""`permissions`: what IAM would not take, and the conditions that it could never compare."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.project.iam.conditions import wrong_conditions
from tests.unit.project_edits import permission
from tests.unit.project_files import errors, write

BUCKET = "arn:aws:s3:::bucket/*"


def wrong(operator: str, value: str) -> list[str]:
    """What is said of one condition."""
    return [problem.what for problem in wrong_conditions({operator: {"aws:x": [value]}}, {})]


@pytest.mark.parametrize(
    ("operator", "values", "good"),
    [
        ("NumericLessThan", ["x", "1,5", "", "٣", "${aws:MultiFactorAuthAge}"], ["3600", "-1", "0.5"]),
        (
            "DateLessThanIfExists",
            ["soon", "2026-13-01", "2026-01-32", "2026/01/01", "2026-01-01 00:00", "2026-01-01T25:00Z"],
            ["2026", "2026-01", "2026-01-31", "2026-01-31T00:00Z", "2026-01-31T23:59:59.5+01:00", "1790000000"],
        ),
        ("Bool", ["maybe", "1", "yes", ""], ["true", "false", "True"]),
        ("ForAllValues:Bool", ["no"], ["true"]),
        ("Null", ["perhaps"], ["true", "false"]),
        (
            "IpAddress",
            ["foo", "10.0.0.0/33", "10.0.0.256", "10.0.0.0/255.0.0.0", "10.0.*", "fe80::1%eth0", "10.0.0.0/"],
            ["10.0.0.0/8", "203.0.113.7", "203.0.113.7/24", "2001:db8::/32"],
        ),
        ("NotIpAddressIfExists", ["everywhere"], ["10.0.0.0/8"]),
        ("StringEquals", ["日本", "a\u0100"], ["", "a b", "é ÿ", "${aws:username}"]),
    ],
)
def test_a_value_is_one_that_the_operator_can_compare(operator: str, values: list[str], good: list[str]) -> None:
    """What it cannot read equals nothing: the permission would never hold, or always."""
    said = [wrong(operator, value) for value in values]

    assert [len(one) for one in said] == [1] * len(values)
    assert all(operator in one[0] or "IAM takes no policy" in one[0] for one in said)
    assert [wrong(operator, value) for value in good] == [[]] * len(good)


MISTAKES = {
    # name: (permission, what, fix)
    "bucket": (
        "{actions: ['s3:GetObject'], resources: [¦'arn:aws:s3:::バケット/*']}",
        "'arn:aws:s3:::バケット/*' holds 'バ' (U+30D0), and IAM takes no policy with it",
        "up to ÿ",
    ),
    "key of a condition": (
        f"{{actions: ['s3:GetObject'], resources: ['{BUCKET}'], conditions: {{Null: {{'s3:x/日': ¦'true'}}}}}}",
        "'s3:x/日' holds '日' (U+65E5)",
        "up to ÿ",
    ),
    "one value of two": (
        f"{{actions: ['s3:GetObject'], resources: ['{BUCKET}'], "
        "conditions: {IpAddress: {'aws:SourceIp': ¦[10.0.0.0/8, foo]}}}",
        "IpAddress needs an address or a range, not 'foo'",
        "203.0.113.0/24",
    ),
    "account in other digits": (
        "{actions: ['s3:GetObject'], resources: [¦'arn:aws:s3::١١١١٢٢٢٢٣٣٣٣:b']}",
        "IAM takes no policy with it",
        "up to ÿ",
    ),
}


@pytest.mark.parametrize(("text", "what", "fix"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_told_with_its_place_and_fix(tmp_path: Path, text: str, what: str, fix: str) -> None:
    """At what is wrong, or at the key's values."""
    old, new = permission(text)
    column = next(line for line in new.splitlines() if "¦" in line).index("¦") + 1

    ((place, said, mend),) = errors(write(tmp_path, (old, new.replace("¦", ""))))

    assert place == f"penstock.yaml:21:{column + len('      ')}"
    assert what in said
    assert fix in mend
