"""For mypy alone, which fails where a fake has drifted: who inherits from both has each of their methods in one way.

The fakes do not inherit themselves, for a method that was forgotten would reach for a real engine then; and a Protocol
for each would have all signatures a third time. That a fake lacks none of its original's methods is
for test_fakes.py to say.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.engine import fakes
    from tests.engine.managed.test_remote_copies import Storage

    from cabestan.adapters.builders import Builders
    from cabestan.adapters.databases import Databases
    from cabestan.adapters.images import ImageCatalogue
    from cabestan.adapters.job_containers import JobContainers
    from cabestan.adapters.rclone import Remote
    from cabestan.adapters.registry import Registry
    from cabestan.adapters.router import PlatformContainers
    from cabestan.adapters.stack_runs import StackRuns
    from cabestan.adapters.stacks import Stacks
    from cabestan.adapters.volume_archives import VolumeArchives
    from cabestan.engine.durable import Durable

    class _Jobs(fakes.FakeJobs, JobContainers): ...

    class _Builders(fakes.FakeBuilders, Builders): ...

    class _Runs(fakes.FakeRuns, StackRuns): ...

    class _Stacks(fakes.FakeStacks, Stacks): ...

    class _Databases(fakes.FakeDatabases, Databases): ...

    class _Volumes(fakes.FakeVolumes, VolumeArchives): ...

    class _Registry(fakes.FakeRegistry, Registry): ...

    class _Platform(fakes.FakePlatform, PlatformContainers): ...

    class _Images(fakes.FakeImages, ImageCatalogue): ...

    class _Durable(fakes.FakeDurable, Durable): ...

    class _Stored(Storage, Remote): ...
