"""What the services themselves take of a template, which is less than CloudFormation's schemas let through.

    resources ─┐
    documented ┼─ walk ─→ refusals, in the services' words, and what was looked at
    models ────┘

A property of a resource becomes a member of an API call, and the service checks that: a description with an apostrophe
passes every linter, and EC2 refuses it in the middle of a deploy. So each property is held against the member in the
service's model, as botocore has it (`models`), and against what the model says in words only (`documented`). Which
member it is, `resources` tells. The tests walk templates, where references are not known yet; the embedded AWS walks
properties as they are at the deploy.
"""

from __future__ import annotations

from penstock.aws.service_models.resources import RESOURCES
from penstock.aws.service_models.walk import Walk, call_refusals, refusals, walk

__all__ = ["RESOURCES", "Walk", "call_refusals", "refusals", "walk"]
