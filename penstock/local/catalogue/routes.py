"""Which function answers which request: the whole API in one table.

Patterns are paths below `/api/v1/`. `{kind}` stands for a kind of entity (a key of `entities.KINDS`, which
may hold a slash), any other `{name}` for one part of the path. The first pattern that fits wins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

from penstock.local.catalogue import handlers as on
from penstock.local.catalogue import lineage_by_name as by_name
from penstock.local.catalogue import observations as seen
from penstock.local.catalogue.entities import KINDS
from penstock.local.catalogue.handlers import Handler

_TABLE: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "system/version", on.version),
    ("GET", "system/settings/profilerConfiguration", on.profiler_settings),
    ("GET", "services/testConnectionDefinitions/name/{fqn}", on.connection_test),
    ("GET", "metadata/types/name/{name}", on.entity_type),
    ("GET", "search/fieldQuery", on.search_field),
    ("GET", "search/query", on.search_query),
    # Runs
    ("PUT", "services/ingestionPipelines/{fqn}/pipelineStatus", seen.put_run),
    ("GET", "services/ingestionPipelines/{fqn}/pipelineStatus", seen.get_runs),
    ("GET", "services/ingestionPipelines/{fqn}/pipelineStatus/{run}", seen.get_run),
    ("PUT", "pipelines/{fqn}/status", seen.put_pipeline_status),
    ("PUT", "services/ingestionPipelines/{what:progress}/{fqn}/{run}", seen.put_progress),
    ("POST", "services/ingestionPipelines/{what:metrics}/{fqn}/{run}", seen.put_progress),
    ("POST", "services/ingestionPipelines/logs/{fqn}/{run}", seen.post_log),
    ("POST", "services/ingestionPipelines/logs/{fqn}/{run}/close", seen.close_log),
    ("GET", "services/ingestionPipelines/logs/{fqn}/{run}", seen.get_log),
    # Tables
    ("PUT", "tables/{id}/tableProfile", seen.put_profile),
    ("PUT", "tables/{id}/sampleData", seen.put_sample),
    ("GET", "tables/{id}/sampleData", seen.get_sample),
    ("PUT", "tables/{id}/{field:dataModel|joins|tableProfilerConfig}", seen.put_field),
    # Data tests
    ("PUT", "dataQuality/testSuites/{how:executable|basic}", on.put_executable_suite),
    ("POST", "dataQuality/testSuites/{how:executable|basic}", on.put_executable_suite),
    ("POST", "dataQuality/testCases/testCaseResults/{fqn}", seen.post_test_result),
    # Queries and usage
    ("PUT", "queries/{id}/{field:usage|usedBy}", seen.put_query_use),
    ("POST", "queryCostRecord", seen.post_query_cost),
    ("POST", "usage/compute.percentile/{type}/{date}", seen.post_usage_percentiles),
    ("POST", "usage/{type}/{id}", seen.post_usage),
    ("PUT", "usage/{type}/{id}", seen.post_usage),
    # Lineage
    ("PUT", "lineage", seen.put_lineage),
    ("PUT", "lineage/{from_type}/name/{from_fqn}/{to_type}/name/{to_fqn}", by_name.put),
    ("PATCH", "lineage/{from_type}/name/{from_fqn}/{to_type}/name/{to_fqn}", by_name.patch),
    (
        "GET",
        "lineage/getLineageEdge/{from_type}/name/{from_fqn}/{to_type}/name/{to_fqn}",
        by_name.get,
    ),
    ("GET", "lineage/getLineageEdge/{from}/{to}", seen.get_lineage_edge),
    ("PATCH", "lineage/{from_type}/{from}/{to_type}/{to}", seen.patch_lineage_edge),
    ("DELETE", "lineage/{type}/{id}/type/{source}", seen.delete_lineage_of_source),
    ("DELETE", "lineage/{from_type}/{from}/{to_type}/{to}", seen.delete_lineage_edge),
    ("GET", "lineage/{type}/name/{fqn}", seen.get_lineage),
    ("GET", "lineage/{type}/{id}", seen.get_lineage),
    # Every kind of entity
    ("PUT", "{kind}/bulk", on.put_bulk),
    ("PUT", "{kind}", on.put),
    ("POST", "{kind}", on.put),
    ("GET", "{kind}", on.get_list),
    ("GET", "{kind}/name/{fqn}", on.get_by_name),
    ("PATCH", "{kind}/name/{fqn}", on.patch_by_name),
    ("GET", "{kind}/{id}", on.get_by_id),
    ("PATCH", "{kind}/{id}", on.patch_by_id),
    ("DELETE", "{kind}/{id}", on.delete),
)


def _compile(pattern: str) -> re.Pattern[str]:
    def group(match: re.Match[str]) -> str:
        name, _, choices = match[1].partition(":")
        if name == "kind":
            choices = "|".join(map(re.escape, KINDS))
        return f"(?P<{name}>{choices or '[^/]+'})"

    pieces = re.split(r"(\{[^}]+\})", pattern)
    return re.compile(
        "".join(re.sub(r"\{([^}]+)\}", group, one) if one[:1] == "{" else re.escape(one) for one in pieces)
    )


_ROUTES = tuple((method, _compile(pattern), handler) for method, pattern, handler in _TABLE)


def find(method: str, path: str) -> tuple[Handler, Mapping[str, str]] | None:
    """The handler of a request and what the `{}` of its pattern stand for.

    Args:
        path: below `/api/v1/`, still percent-encoded: a name may hold an encoded slash.
    """
    for route_method, pattern, handler in _ROUTES:
        if method == route_method and (match := pattern.fullmatch(path)):
            return handler, {name: unquote(value) for name, value in match.groupdict().items()}
    return None
