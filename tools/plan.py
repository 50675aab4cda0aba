"""What a deploy will do: of a build and a board's state, the changes, the refusals, and the journal that does it all.

Only what lies on the board by deploy is ever replaced or removed without being told to.  What else is in the way, and what
was changed on the board since, is a refusal until `adopt` or `force` allows it.  A protected path is the board's own once it
is there: it is never removed, and replaced only while it is exactly what the deploy before left.
"""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from .board_state import OWNED, State, name_of, recorded

PROTECTED = ("config.json", "webrepl_cfg.py", "*.db", "data/", "certs/")
_UNDO, _JOURNAL = "/.mdot/undo", "/.mdot/journal.new"
_MARKS = "/.mdot/"
_LAST = "/main.py"
# Blocks of littlefs that a new folder takes, and those that its own bookkeeping may need for what a deploy changes.
_FOLDER_BLOCKS, _SPARE_BLOCKS, _ENTRIES_OF_A_BLOCK = 2, 4, 32


class File(Protocol):
    """A file of a build."""

    @property
    def path(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def sha256(self) -> str: ...


class Rules(NamedTuple):
    """What the user allows."""

    protect: Sequence[str] = ()
    adopt: bool = False
    """Replace or remove what stands in the way and was not deployed."""
    force: bool = False
    """Replace or remove what was deployed and changed on the board since."""
    keep: bool = False
    """Keep what is replaced and removed, for a way back."""


class Change(NamedTuple):
    """One line of a plan."""

    what: str
    """`add`, `replace`, `remove`, `keep` (the board's own stays) or `same`."""
    path: str
    size: int = 0
    note: str = ""
    adopted: bool = False
    """It was not deployed, and is lost."""


class Upload(NamedTuple):
    """A file to bring to the board: a path of the build, or a content made here."""

    name: str
    path: str
    size: int
    content: bytes | None = None


@dataclass
class Plan:
    """What a deploy will do."""

    changes: list[Change] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    parts: list[Upload] = field(default_factory=list)
    """What the commit needs in /.mdot/new; last the journal itself."""
    uploads: list[Upload] = field(default_factory=list)
    """Of these, what does not lie there whole."""
    stale: list[str] = field(default_factory=list)
    """What lies in /.mdot/new and is of no use."""
    owned: dict[str, tuple[int, str]] = field(default_factory=dict)
    keeps: bool = False
    """What is replaced and removed is kept."""
    journal: bytes = b""
    """Empty when there is nothing to do."""
    needed: int = 0
    """Bytes of the board's flash that it takes until the commit is done."""

    @property
    def sent(self) -> int:
        """Count the bytes of the files to upload."""
        return sum(upload.size for upload in self.uploads)

    def of(self, *kinds: str) -> list[Change]:
        """List the changes of these kinds."""
        return [change for change in self.changes if change.what in kinds]

    @property
    def journal_name(self) -> str:
        return _name(_JOURNAL, self.journal)


def is_protected(path: str, patterns: Iterable[str]) -> bool:
    """Tell whether a pattern covers a path: `data/` a folder, `*.db` a name anywhere, `logs/*.txt` a path from the top."""
    parts = path.strip("/").split("/")
    for pattern in patterns:
        wanted = pattern.strip("/").split("/")
        if pattern.endswith("/") or "/" in pattern.strip("/"):
            if len(wanted) <= len(parts) and all(map(fnmatch.fnmatchcase, parts, wanted)):
                return True
        elif any(fnmatch.fnmatchcase(part, pattern.strip("/")) for part in parts):
            return True
    return False


def made(app: str, build: str, files: Sequence[File], state: State, rules: Rules) -> Plan:
    """Plan what makes the board hold these files."""
    plan = Plan()
    protected = (*PROTECTED, *rules.protect)
    for file in files:
        _consider(plan, file, state, rules, protected)
    wanted = {file.path for file in files}
    for path in sorted(set(state.owned) - wanted):
        _leave(plan, path, state, rules, protected)
    _clear_siblings(plan, wanted, state, rules, protected)
    _check_places(plan, wanted, state)
    plan.changes.sort(key=lambda change: change.path)
    record = recorded(app, build, ((path, size, sha256) for path, (size, sha256) in plan.owned.items()))
    if plan.of("add", "replace", "remove") or record != state.record:
        _prepare(plan, files, record, state, rules)
    return plan


def _consider(plan: Plan, file: File, state: State, rules: Rules, protected: Sequence[str]) -> None:
    path, owned = file.path, state.owned.get(file.path)
    if path in state.files:
        _consider_foreign(plan, file, rules, is_protected(path, protected))
    elif owned is None or owned.actual is None:
        _put(plan, "add", file)
    elif owned.actual == file.sha256:
        _put(plan, "same", file)
    elif owned.actual == owned.sha256:
        _put(plan, "replace", file)
    elif is_protected(path, protected):
        plan.changes.append(Change("keep", path, note="protected, and changed on the board"))
        plan.owned[path] = (owned.size, owned.sha256)
    else:
        if not rules.force:
            plan.refusals.append(f"{path} was changed on the board since its deploy: --force replaces it")
        _put(plan, "replace", file, "changed on the board")


def _consider_foreign(plan: Plan, file: File, rules: Rules, protected: bool) -> None:
    if protected:
        plan.changes.append(Change("keep", file.path, note="protected"))
        return
    if not rules.adopt:
        plan.refusals.append(f"{file.path} is on the board and was not deployed: --adopt replaces it")
    _put(plan, "replace", file, "was not deployed", adopted=True)


def _put(plan: Plan, what: str, file: File, note: str = "", adopted: bool = False) -> None:
    plan.changes.append(Change(what, file.path, file.size, note, adopted))
    plan.owned[file.path] = (file.size, file.sha256)


def _leave(plan: Plan, path: str, state: State, rules: Rules, protected: Sequence[str]) -> None:
    """Decide on a file that the deploy before brought and this build does not have."""
    owned = state.owned[path]
    if owned.actual is None:
        return
    if is_protected(path, protected):
        plan.changes.append(Change("keep", path, note="protected, and no longer in the build"))
        return
    changed = owned.actual != owned.sha256
    if changed and not rules.force:
        plan.refusals.append(f"{path} was changed on the board and is no longer in the build: --force removes it")
    plan.changes.append(Change("remove", path, note="changed on the board" if changed else ""))


def _clear_siblings(plan: Plan, wanted: set[str], state: State, rules: Rules, protected: Sequence[str]) -> None:
    """Find what MicroPython would import in a module's place: a folder beats a `.py`, and that a `.mpy`."""
    for path in sorted(wanted):
        stem, dot, suffix = path.rpartition(".")
        if not dot or suffix not in ("py", "mpy"):
            continue
        rivals = [f"{stem}.py"] if suffix == "mpy" else []
        rivals += [found for found in state.files if found.startswith(f"{stem}/")]
        for rival in sorted(set(rivals) & set(state.files)):
            _clear_sibling(plan, rival, path, rules, protected)
        if stem in state.folders and not any(found.startswith(f"{stem}/") for found in (*state.files, *state.owned)):
            plan.refusals.append(f"{stem} is an empty folder on the board, and is imported in place of {path}: remove it")


def _clear_sibling(plan: Plan, rival: str, path: str, rules: Rules, protected: Sequence[str]) -> None:
    if any(change.path == rival for change in plan.changes):
        return
    if is_protected(rival, protected):
        plan.refusals.append(f"{rival} is imported in place of {path}, and protected: rename one of them")
    elif not rules.adopt:
        plan.refusals.append(f"{rival} was not deployed, and is imported in place of {path}: --adopt removes it")
    else:
        plan.changes.append(Change("remove", rival, note=f"it is imported in place of {path}", adopted=True))


def _check_places(plan: Plan, wanted: set[str], state: State) -> None:
    """Refuse files in the place of folders: a journal makes only changes that can be made in any order."""
    for path in sorted(wanted):
        if path in state.folders:
            plan.refusals.append(f"{path} is a folder on the board and a file of the build: rename one of them")
        for above in _folders(path):
            if above in state.files or ((owned := state.owned.get(above)) and owned.actual):
                plan.refusals.append(f"{above} is a file on the board and a folder of the build: rename one of them")
    plan.refusals[:] = dict.fromkeys(plan.refusals)


def _folders(path: str) -> Iterator[str]:
    parts = path.split("/")
    for count in range(2, len(parts)):
        yield "/".join(parts[:count])


def _prepare(plan: Plan, files: Sequence[File], record: bytes, state: State, rules: Rules) -> None:
    """Write the journal, and list what must be uploaded for it."""
    changed = {change.path for change in plan.of("add", "replace")}
    puts = [Upload(name_of(file.path, file.sha256), file.path, file.size) for file in files if file.path in changed]
    puts.sort(key=lambda upload: (upload.path == _LAST, upload.path))
    puts.append(_upload(OWNED, record))
    plan.keeps = rules.keep
    kept = _kept(plan, state) if rules.keep else {}
    if rules.keep:
        puts.append(_upload(_UNDO, _undo(plan, kept)))
    plan.journal = _journal(plan, puts, kept, state)
    plan.parts = [*puts, _upload(_JOURNAL, plan.journal)]
    useful = {upload.name: upload.size for upload in plan.parts}
    plan.stale = sorted(f"/.mdot/new/{name}" for name, size in state.waiting.items() if size > useful.get(name, -1))
    plan.uploads = [upload for upload in plan.parts if state.waiting.get(upload.name) != upload.size or not upload.size]
    plan.needed = _space(plan, state)
    if plan.needed > state.about.free * state.about.block and not rules.keep and state.kept:
        # The way back ends with this deploy anyway; its mark goes first, so that nobody takes half of it.
        plan.stale += [f"{_MARKS}{mark}" for mark in ("trial", "undo") if mark in state.marks]
        plan.stale += [f"/.mdot/old/{name}" for name in sorted(state.kept)]
        plan.needed -= _blocks(state.kept.values(), state.about.block)


def _upload(path: str, content: bytes) -> Upload:
    return Upload(_name(path, content), path, len(content), content)


def _name(path: str, content: bytes) -> str:
    return name_of(path, hashlib.sha256(content).hexdigest())


def _kept(plan: Plan, state: State) -> dict[str, str]:
    """Name what is kept for the way back, by path."""
    kept = {}
    for change in plan.of("replace", "remove"):
        owned = state.owned.get(change.path)
        # Of what was not deployed the content is not known here; its name need only be its own.
        sha256 = (owned.actual if owned else None) or f"{state.files.get(change.path, 0)}"
        kept[change.path] = name_of(change.path, sha256)
    if state.record:
        kept[OWNED] = _name(OWNED, state.record)
    return kept


def _undo(plan: Plan, kept: Mapping[str, str]) -> bytes:
    lines = [f"del - {change.path}" for change in plan.of("add")]
    lines += [f"back {name} {path}" for path, name in kept.items() if path not in (OWNED, _LAST)]
    lines += [f"back {kept[path]} {path}" for path in (_LAST, OWNED) if path in kept]
    if OWNED not in kept:
        lines.append(f"del - {OWNED}")
    return _text(lines)


def _journal(plan: Plan, puts: Sequence[Upload], kept: Mapping[str, str], state: State) -> bytes:
    # Nothing is both removed and put: done again, the removal would come after the put.
    lines = [
        f"del - {_MARKS}{mark}" for mark in ("trial", "undo") if mark in state.marks and (mark, True) != ("undo", bool(kept))
    ]
    lines += [f"drop {name} -" for name in sorted(set(state.kept) - set(kept.values()))]
    lines += [f"keep {name} {path}" for path, name in kept.items()]
    lines += [f"del - {change.path}" for change in plan.of("remove")]
    lines += [f"put {upload.name} {upload.path}" for upload in puts]
    return _text(lines)


def _text(lines: Iterable[str]) -> bytes:
    # The last line tells that nothing is missing.
    return "".join(f"{line}\n" for line in (*lines, "end - -")).encode()


def _space(plan: Plan, state: State) -> int:
    """Estimate what the board's flash must have free: files take whole blocks, and littlefs some for itself."""
    block = state.about.block
    folders = {above for change in plan.of("add") for above in _folders(change.path)} - state.folders
    own = _FOLDER_BLOCKS * len(folders) + _SPARE_BLOCKS + 2 * (len(plan.uploads) // _ENTRIES_OF_A_BLOCK)
    files = _blocks((upload.size - state.waiting.get(upload.name, 0) for upload in plan.uploads), block)
    stale = {path.rpartition("/")[2] for path in plan.stale}
    return own * block + files - _blocks((size for name, size in state.waiting.items() if name in stale), block)


def _blocks(sizes: Iterable[int], block: int) -> int:
    return sum(-(-size // block) * block for size in sizes)
