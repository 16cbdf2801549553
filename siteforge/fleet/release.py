"""A new image of WordPress for the fleet, ring after ring: deployed, looked at, baked, and taken back where it fails.

What is done is known from the catalogue, which names each tenant's image, and from `siteforge up`'s own records. What
can't be known from them, the images of before and the rings that are baked, is a ConfigMap beside those records,
written before the catalogue is: whoever runs the same command again, on whatever machine, goes on where the last run
was ended. See docs/adr/0017-releases.md.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from siteforge.blueprint import Blueprint
from siteforge.errors import ClusterError, EngineError, SettingsError, SiteforgeError
from siteforge.fleet import probes, readiness, release_records, rights, rounds, survey, up
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.places import Place
from siteforge.fleet.probes import Tally, Watch
from siteforge.fleet.project import Project
from siteforge.fleet.release_records import Record
from siteforge.fleet.release_steps import Step, edit, steps
from siteforge.fleet.status import healthy
from siteforge.fleet.up import NOT_FINISHED, Performance, Summary
from siteforge.rings import RINGS, Ring
from siteforge.tenant_spec import TenantSpec

_BACKUPS_AT_ONCE = 4
_ROUND_SECONDS = 10.0
_TOLD_SECONDS = 60.0
_SETTLE_SECONDS = 60.0
"""How long a site that is not ready at the end of its bake may take to become it."""

Why = Mapping[str, Sequence[str]]
"""What is wrong, by tenant."""


Outcome = Literal["released", "unchanged", "empty", "rolled back", "failed", "stopped"]


@dataclass
class Done:
    """What became of a ring.

    released: it has the image. unchanged: it had it, and was baked. empty: it has no tenant that could get it. rolled
    back: the image failed, and it has what it had. failed: nobody knows, or it could not be rolled back. stopped: by
    Ctrl-C.
    """

    ring: str
    outcome: Outcome
    tenants: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    why: Why = field(default_factory=dict)
    """What failed of which tenant."""
    problems: Sequence[str] = ()
    """What went wrong with no tenant in particular."""
    tally: Tally = field(default_factory=Tally)

    @property
    def well(self) -> bool:
        """Whether the next ring may have the image."""
        return self.outcome in ("released", "unchanged", "empty")


@dataclass(frozen=True)
class Terms:
    """What a ring has to stand."""

    bake: float = 600.0
    """Seconds for which it is looked at once it is ready."""
    error_percent: float = 5.0
    """The share of requests that may fail."""
    ready: float = 600.0
    """Seconds within which it has to be ready."""
    jobs: int | None = None
    """Runs of Pulumi at once."""
    backups: Place | None = None
    """Where backups of before are put; None for none."""


class _FailedError(Exception):
    """The image is at fault."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


class _UnknownError(Exception):
    """Something is at fault, and not the image as far as can be seen."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(problems)
        self.problems = problems


class Release:
    """A release of one image; everything that is done is told.

    Args:
        project: the fleet's.
        cluster: where it is.
        image: what tenants get.
        terms: what a ring has to stand.
        tell: is told what is done, a line at a time.

    Raises:
        SettingsError: another release has begun and not ended.
    """

    def __init__(
        self, project: Project, cluster: Cluster, image: str, terms: Terms, tell: Callable[[str], None]
    ) -> None:
        self._project, self._cluster, self._image, self._terms, self._tell = project, cluster, image, terms, tell
        self._record = release_records.read(cluster, project)
        if self._record.image == image:
            return
        rings = {spec.name: spec.ring for spec in project.tenants}
        if open_ones := sorted(
            {rings[name] for name in self._record.before if name in rings and rings[name] not in self._record.baked}
        ):
            known = self._record.image
            raise SettingsError(
                f"the release of {known} is not finished in the ring {open_ones[0]} - finish it with"
                f" `siteforge release {known}`, or take it back with `siteforge release {known} --rollback`"
            )
        self._record = Record(image)

    def perform(self, rings: Iterable[Ring]) -> Iterator[Done]:
        """Release, ring after ring, up to the first that fails.

        Raises:
            SiteforgeError: the catalogue or the configuration is wrong.
        """
        for ring in rings:
            (step,) = steps(self._project.tenants, self._project.configuration, self._image, [ring])
            done = self._ring(step)
            yield done
            if not done.well:
                return

    def rollback(self) -> Done:
        """Take the release back: every tenant gets the image that it had before it.

        Raises:
            SiteforgeError: as `perform`; SettingsError if no release of this image is known.
        """
        known = {spec.name for spec in self._project.tenants if not spec.frozen}
        whom = {name: was for name, was in self._record.before.items() if name in known}
        if not whom:
            raise SettingsError(f"no tenant is known to have got {self._image} by a release - nothing was changed")
        return self._back("release", tuple(whom), {})

    def _ring(self, step: Step) -> Done:
        done = Done(step.ring, "failed", step.tenants, step.left_out)
        for name, reason in step.left_out.items():
            self._tell(f"{step.ring}: {name} is left out: {reason}")
        try:
            self._advance(done)
        except _FailedError as error:
            self._tell_why(step.ring, error.why)
            taken = self._back(step.ring, done.tenants, error.why)
            done.outcome, done.why, done.problems = taken.outcome, error.why, taken.problems
            if taken.outcome == "failed":
                done.why = {**error.why, **taken.why}
        except _UnknownError as error:
            done.problems = error.problems
        except KeyboardInterrupt:
            done.outcome = "stopped"
        except (ClusterError, EngineError) as error:
            done.problems = [str(error)]
        return done

    def _advance(self, done: Done) -> None:
        """Bring a ring to the image, up to the end of its bake."""
        specs = {spec.name: spec for spec in self._project.tenants}
        new = [name for name in done.tenants if self._blueprint(specs[name]).site.image != self._image]
        unwell = self._unwell([self._blueprint(specs[name]) for name in new])
        for name, reason in unwell.items():
            self._tell(f"{done.ring}: {name} is left out: {reason}")
        done.left_out = {**done.left_out, **unwell}
        done.tenants = tuple(name for name in done.tenants if name not in unwell)
        if not done.tenants:
            if unwell:
                raise _UnknownError([f"no tenant of the ring {done.ring} is well enough to try the image"])
            self._tell(f"{done.ring}: no tenant")
            done.outcome = "empty"
            return
        new = [name for name in new if name not in unwell]
        lost = self._back_up(done.ring, [self._blueprint(specs[name]) for name in new])
        done.left_out = {**done.left_out, **lost}
        done.tenants = tuple(name for name in done.tenants if name not in lost)
        written = {name: specs[name].wordpress.image for name in new if name not in lost}
        self._remember(before={**self._record.before, **written})
        self._edit(dict.fromkeys(written, self._image))
        ran = self._deploy(done.ring, done.tenants)
        if done.ring in self._record.baked and not written and not ran:
            self._tell(f"{done.ring}: has it already: {_some(done.tenants)}")
            done.outcome = "unchanged"
            return
        self._stand(done)
        self._remember(baked=tuple(ring for ring in RINGS if ring in {*self._record.baked, done.ring}))
        done.outcome = "released"

    def _unwell(self, tenants: Sequence[Blueprint]) -> dict[str, str]:
        """Who is not well before the release: what an image does to them would tell nothing of it."""
        if not tenants:
            return {}
        stack = self._project.cells.stack
        found = survey.fleet(self._cluster, [survey.Tenant(one, stack(one.name)) for one in tenants])
        unwell = {one.name: f"not well before: {one.condition}, {one.why}" for one in found if not healthy([one])}
        watches = [Watch(one) for one in tenants if one.name not in unwell]
        for name, said in probes.failing(self._cluster, watches).items():
            unwell[name] = f"not well before: {said[0]}"
        _raise_unseen(watches)
        return unwell

    def _back_up(self, ring: str, tenants: Sequence[Blueprint]) -> dict[str, str]:
        """Back up sites whose database a new core may change for good; who can't be, and why."""
        if not (tenants and self._terms.backups):
            return {}
        self._tell(f"{ring}: backing up {len(tenants)} tenant{'s' * (len(tenants) != 1)}")
        done = rounds.take(self._cluster, tenants, self._terms.backups, jobs=_BACKUPS_AT_ONCE)
        for taken in done.taken:
            self._tell(f"{ring}: {taken.about.tenant} is backed up: --at {taken.about.time}")
        for reason in done.skipped.values():
            self._tell(f"{ring}: not backed up: {reason}")
        lost = {name: f"could not be backed up: {reason}" for name, reason in done.failed.items()}
        for name, reason in lost.items():
            self._tell(f"{ring}: {name} is left out: {reason}")
        if len(lost) == len(tenants):
            raise _UnknownError([f"no tenant of the ring {ring} could be backed up - --no-backup does without"])
        return lost

    def _stand(self, done: Done) -> None:
        """Look at a ring until it is baked.

        Raises:
            _FailedError: a site fails.
            _UnknownError: it can't be looked at.
        """
        watches = [Watch(self._blueprint(spec)) for spec in self._project.tenants if spec.name in done.tenants]
        self._await(watches, self._terms.ready)
        if bad := probes.failing(self._cluster, watches):
            raise _FailedError(bad)
        _raise_unseen(watches)
        for watch in watches:
            watch.tally = Tally()
        started = told = time.monotonic()
        self._tell(f"{done.ring}: every page answers; baking for {self._terms.bake:.0f} s")
        while True:
            began = time.monotonic()
            found = probes.look(self._cluster, watches)
            done.tally = Tally(
                sum(watch.tally.requests for watch in watches), sum(watch.tally.failures for watch in watches)
            )
            if bad := {
                watch.tenant.name: [str(watch.tally), *found.get(watch.tenant.name, ())]
                for watch in watches
                if watch.tally.over(self._terms.error_percent) or found[watch.tenant.name] == [probes.NOBODY]
            }:
                raise _FailedError(bad)
            now = time.monotonic()
            if now - started >= self._terms.bake:
                break
            if now - told >= _TOLD_SECONDS:
                told = now
                self._tell(f"{done.ring}: {now - started:.0f} of {self._terms.bake:.0f} s: {done.tally}")
            time.sleep(max(0.0, min(started + self._terms.bake, began + _ROUND_SECONDS) - now))
        _raise_unseen(watches)
        self._await(watches, _SETTLE_SECONDS)
        self._tell(f"{done.ring}: baked: {done.tally}")

    def _await(self, watches: Sequence[Watch], seconds: float) -> None:
        unready = readiness.wait(self._cluster, [watch.tenant for watch in watches], seconds)
        if unready:
            raise _FailedError({where: [f"not ready after {seconds:.0f} s", *said] for where, said in unready.items()})

    def _back(self, where: str, tenants: Sequence[str], why: Why) -> Done:
        """Give tenants back what they had, and look whether they are well with it."""
        whom = {name: self._record.before[name] for name in tenants if name in self._record.before}
        done = Done(where, "failed", tuple(whom), why=why)
        if not whom:
            done.problems = [f"not rolled back: what {_some(tenants)} had before {self._image} is not known"]
            return done
        self._tell(f"{where}: rolling back: {_some(tuple(whom))}")
        try:
            self._edit(whom)
            self._deploy(where, done.tenants)
            rings = {spec.name: spec.ring for spec in self._project.tenants}
            specs = [spec for spec in self._project.tenants if spec.name in whom]
            watches = [Watch(self._blueprint(spec)) for spec in specs if not spec.suspended]
            self._await(watches, self._terms.ready)
            if bad := probes.failing(self._cluster, watches):
                raise _FailedError(bad)
            _raise_unseen(watches)
            left = {name: was for name, was in self._record.before.items() if name not in whom}
            touched = {rings[name] for name in whom}
            self._remember(before=left, baked=tuple(ring for ring in self._record.baked if ring not in touched))
        except _FailedError as error:
            self._tell_why(f"{where}, rolled back", error.why)
            done.why = error.why
        except _UnknownError as error:
            done.problems = error.problems
        except KeyboardInterrupt:
            done.outcome = "stopped"
        except SiteforgeError as error:
            done.problems = [str(error)]
        else:
            self._tell(f"{where}: rolled back, and well")
            done.outcome = "rolled back"
        return done

    def _edit(self, values: Mapping[str, str | None]) -> None:
        for one in edit(self._project, values):
            if one.changes:
                one.write()
        # Read anew: the same folder and stack, and what the files say now.
        self._project = replace(self._project)

    def _deploy(self, where: str, tenants: Sequence[str]) -> bool:
        """Do what `siteforge up` does for these tenants; whether there was anything to do."""
        # Without a name, `up` would be about all of them.
        assert tenants
        found = up.look(self._project, self._cluster, asked=tenants)
        if not found.runs:
            return False
        rights.require(self._cluster, self._project.configuration)
        self._tell(f"{where}: deploying: {_some(found.tenants)}")
        performance = Performance(self._project, self._cluster, found)
        summary = performance.perform(
            up.jobs(self._terms.jobs, found.runs),
            self._terms.ready,
            lambda *_: None,
            lambda said: self._tell_why(where, said),
        )
        if summary.stopped:
            raise KeyboardInterrupt
        _judge(summary)
        return True

    def _blueprint(self, spec: TenantSpec) -> Blueprint:
        return self._project.configuration.blueprint(spec)

    def _remember(self, **changes: Any) -> None:
        changed = replace(self._record, **changes)
        if changed != self._record:
            release_records.write(self._cluster, self._project, changed)
            self._record = changed

    def _tell_why(self, where: str, why: Why) -> None:
        for name, said in sorted(why.items()):
            first, *others = said
            self._tell(f"{where}: {name}: {first}")
            for line in others:
                self._tell(f"  {line}")


def _judge(summary: Summary) -> None:
    """Tell what the image is to blame for from what it is not: who was not finished may be well."""
    blamed = {name: said for name, said in summary.failed.items() if said != [NOT_FINISHED]}
    if blamed:
        raise _FailedError(blamed)
    if not summary.succeeded:
        raise _UnknownError(summary.problems or [f"{NOT_FINISHED}: {_some(tuple(summary.failed))}"])


def _raise_unseen(watches: Iterable[Watch]) -> None:
    if unseen := [f"{watch.tenant.name} can't be looked at: {watch.problem}" for watch in watches if watch.problem]:
        raise _UnknownError(unseen)


_NAMED = 10


def _some(tenants: Sequence[str]) -> str:
    return ", ".join(tenants[:_NAMED]) + (f" and {len(tenants) - _NAMED} more" if len(tenants) > _NAMED else "")
