"""What is wrong with the files that tasks get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.problem import DocumentPath, Problem
from penstock.project.document.literals import ALLOW
from penstock.project.document.problems import shown
from penstock.project.document.report import Report
from penstock.project.files import named
from penstock.project.files.content import Content
from penstock.project.files.model import File, Source
from penstock.project.jobs.tasks import Task
from penstock.project.rules.files import levels, places
from penstock.project.rules.files.levels import Given
from penstock.project.secrets.checks import unknown_secret
from penstock.project.settings import Settings

MAX_PATH = 250
"""Characters of a path in the container; Linux takes 255 for one name."""
MAX_TOTAL_BYTES = 4 * 1024**3
"""Of all files of a project together: CDK's function that copies them has 10 GiB of disk (AWS Lambda API Reference,
EphemeralStorage), and needs twice their size."""
_ONE = "write one of them; an environment takes away what the top level says with null"
_KERNEL = ("/proc/", "/sys/", "/dev/")


def check_files(settings: Settings) -> Iterator[Problem]:
    """Each entry by itself, then what each task gets of them. Touches no disk."""
    for place, files in levels.declared(settings):
        seen: dict[str, str] = {}
        for path, file in files.items():
            if wrong := _wrong_path(path):
                yield wrong.at(*place, path, key=True)
            elif (other := seen.setdefault(named.normal(path), path)) != path:
                yield Problem(
                    f"{shown(path)} and {shown(other)} are the same file", "remove one", (*place, path), at_key=True
                )
            yield from _check_source(settings, file, (*place, path))
            if file.base64 and file.secret is None:
                fix = "remove base64: a file of the project is taken unchanged"
                yield Problem("only a secret is decoded", fix, (*place, path, "base64"))
    for name, job in settings.jobs.items():
        for index, task in enumerate(job.tasks):
            yield from _check_task(settings, task, ("jobs", name), index)
    if settings.meltano is not None:
        yield from _check_container(
            "a task of Meltano's own", levels.of_meltano(settings), places.of_task(settings, None)
        )


def check_contents(settings: Settings, report: Report, contents: Mapping[str, Content]) -> Iterator[Problem]:
    """What the files of the project hold, and how much. `contents`: by their paths in the project file."""
    used: dict[str, int] = {}
    for place, source in sources(settings):
        content = contents.get(source.file) if source.file is not None else None
        if content is None:
            continue
        used[content.sha256] = content.size_bytes
        if place == levels.CERTIFICATE and not content.certificate:
            fix = f"convert it: openssl x509 -inform der -in {source.file} -out ca.pem"
            yield Problem(f"{source.file} holds no certificate in PEM", fix, place)
        if content.private_key and ALLOW not in report.line(*place):
            fix = "put it into a secret and write {secret: NAME}" + f", or end the line with `{ALLOW}`"
            yield Problem(f"{source.file} holds a private key", fix, place)
    if (total := sum(used.values())) > MAX_TOTAL_BYTES:
        what = f"the files of all tasks have {total / 1024**3:.1f} GiB, and a deploy carries 4 GiB"
        largest = max(sources(settings), key=lambda source: _size(source[1], contents))
        yield Problem(what, "put large files into the image, or let the task fetch them from S3", largest[0])
    yield from _check_tmp(settings, contents)


def sources(settings: Settings) -> list[tuple[DocumentPath, Source]]:
    """Every file that a project gives to a task, the server's certificate too, and the place that says so."""
    sources_by_place: list[tuple[DocumentPath, Source]] = [
        ((*place, path), file) for place, files in levels.declared(settings) for path, file in files.items()
    ]
    if (certificate := levels.certificate(settings)) is not None:
        sources_by_place.append((certificate.place, certificate.file))
    return sources_by_place


def check_certificate(settings: Settings) -> Iterator[Problem]:
    """`openmetadata.ca_certificate`."""
    openmetadata = settings.openmetadata
    if openmetadata is None or openmetadata.ca_certificate is None:
        return
    yield from _check_source(settings, openmetadata.ca_certificate, levels.CERTIFICATE)
    if openmetadata.server is not None and openmetadata.server.startswith("http://"):
        fix = "write https:// in server, or remove ca_certificate"
        yield Problem("the server's address is http://, which has no certificate to check", fix, levels.CERTIFICATE)


def _wrong_path(path: str) -> Problem | None:
    """What is wrong with a path in a container, and the fix."""
    fix = (
        "write an absolute path, such as /tmp/ca.pem, or one below the working directory, such as target/manifest.json"
    )
    if not path.isprintable() or "\\" in path or len(path) > MAX_PATH:
        return Problem(f"{shown(path)} is not a path of at most {MAX_PATH} printable characters", fix)
    if "${" in path or path.startswith("~"):
        return Problem(f"{shown(path)} is taken literally: nothing in the path is filled in or expanded", fix)
    if path.endswith("/") or named.normal(path) in ("", ".", "/") or ".." in path.split("/"):
        return Problem(f"{shown(path)} is not the path of a file in the container", fix)
    if path.startswith(_KERNEL) and not path.startswith("/dev/shm/"):  # noqa: S108  the container's
        return Problem(f"{shown(path)} is the kernel's, where nobody can make a file", fix)
    return None


def _check_source(settings: Settings, source: Source, place: DocumentPath) -> Iterator[Problem]:
    """Exactly one source, which there is."""
    if (source.file is None) == (source.secret is None):
        has = "neither" if source.file is None else "both"
        yield Problem(f"a file comes from `file` or from `secret`, and this one has {has}", _ONE, place)
    elif source.secret is not None:
        yield from unknown_secret(source.secret, settings.secrets, *place, "secret")


def _check_task(settings: Settings, task: Task, job: DocumentPath, index: int) -> Iterator[Problem]:
    if not levels.has_runtime(task):
        here = (*job, "tasks", index, "files")
        for place, files in ((here, task.files), ((*job, "files"), settings.jobs[str(job[1])].files)):
            if files:
                what = f"task {task.name!r} runs in an image without Penstock's runtime, which writes the files"
                fix = (
                    "put the files into the image, or, where it has Python 3.10 or later, add python: true to the task"
                )
                yield Problem(what, fix, place, at_key=True)
        return
    if given := levels.of_task(settings, str(job[1]), index):
        yield from _check_container(f"task {task.name!r}", given, places.of_task(settings, task))


def _check_container(who: str, given: Mapping[str, Given], container: places.Container) -> Iterator[Problem]:
    """What a task gets, against its container and against each other."""
    for path, file in given.items():
        if _wrong_path(str(file.place[-1])):
            continue
        if wrong := container.unwritable(path):
            yield wrong.at(*file.place, key=True)
        if path == named.SERVER_CERTIFICATE:
            yield Problem(
                f"{path} is where Penstock puts openmetadata.ca_certificate", "rename it", file.place, at_key=True
            )
        for other in given:
            if other.startswith(f"{path}/"):
                what = f"{who} gets the file {path} and the file {other}, which would be in a folder of that name"
                yield Problem(what, "rename one", file.place, at_key=True)


def _check_tmp(settings: Settings, contents: Mapping[str, Content]) -> Iterator[Problem]:
    """Where the root is read-only /tmp is memory, and `ecs.tmp_mib` of it."""
    for name, job in settings.jobs.items():
        for index, task in enumerate(job.tasks):
            given = levels.of_task(settings, name, index)
            if not given or not places.of_task(settings, task).read_only:
                continue
            total = sum(_size(file.file, contents) for file in given.values())
            if total > settings.ecs.tmp_mib * 1024**2:
                mib = f"{total / 1024**2:.1f} MiB"
                what = f"the files of task {task.name!r} have {mib}, and /tmp has {settings.ecs.tmp_mib}"
                fix = "raise ecs.tmp_mib (and the task's memory_mib, of which it is), or remove read_only_root"
                largest = max(given.values(), key=lambda file: _size(file.file, contents))
                yield Problem(what, fix, largest.place)


def _size(source: Source | File, contents: Mapping[str, Content]) -> int:
    content: Any = contents.get(source.file) if source.file is not None else None
    return content.size_bytes if content is not None else 0
