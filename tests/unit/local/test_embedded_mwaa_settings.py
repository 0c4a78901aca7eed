"""The embedded AWS refuses the settings that MWAA refuses."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.local.aws.cfn import mwaa_settings

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"EnvironmentClass": "mw1.tiny"}, "Environment class mw1.tiny is not one of"),
        ({"MinWorkers": 3, "MaxWorkers": 2}, "the minimum not above the maximum"),
        ({"MaxWorkers": "26"}, "between 1 and 25"),
        ({"Schedulers": 1}, "mw1.small must be 2 to 5"),
        ({"EnvironmentClass": "mw1.micro", "Schedulers": 2}, "mw1.micro must be exactly 1"),
        ({"EnvironmentClass": "mw1.micro", "MaxWebservers": 2}, "The web server count for environment class mw1.micro"),
        ({"MinWebservers": 4, "MaxWebservers": 3}, "The web server count"),
        ({"WebserverAccessMode": "BOTH"}, "must be one of"),
        ({"WebserverAccessMode": "PUBLIC_AND_PRIVATE", "AirflowVersion": "3.0.6"}, "not available"),
        ({"AirflowConfigurationOptions": {f"core.{'x' * 60}": "x"}}, "is not allowed"),
        ({"WeeklyMaintenanceWindowStart": "SUN:03:15"}, "must be DAY:HH:MM"),
        ({"KmsKey": "alias/data"}, "not a supported key"),
    ],
)
def test_wrong_setting_is_refused(properties: dict[str, Any], words: str) -> None:
    """In words close to the service's."""
    assert words in (mwaa_settings.problem(properties) or "")


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"EnvironmentClass": "mw1.micro"},
        {"EnvironmentClass": "mw1.micro", "Schedulers": "1", "MinWebservers": 1, "MaxWebservers": 1},
        {"WebserverAccessMode": "PUBLIC_AND_PRIVATE", "AirflowVersion": "3.2.1", "Schedulers": "5"},
        {"AirflowConfigurationOptions": {"core.parallelism": "4"}, "KmsKey": KEY},
    ],
)
def test_right_settings_are_taken(properties: dict[str, Any]) -> None:
    """Numbers come as text from CloudFormation; what is left out has the class's default."""
    assert mwaa_settings.problem(properties) is None
