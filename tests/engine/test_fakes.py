"""A fake must be called as its original is."""

import inspect

import pytest
from tests.engine import fakes

from cabestan.adapters.builders import Builders
from cabestan.adapters.databases import Databases
from cabestan.adapters.engine_api import Engine
from cabestan.adapters.images import ImageCatalogue
from cabestan.adapters.job_containers import JobContainers
from cabestan.adapters.registry import Registry
from cabestan.adapters.router import PlatformContainers
from cabestan.adapters.stack_runs import StackRuns
from cabestan.adapters.stacks import Stacks
from cabestan.adapters.volume_archives import VolumeArchives
from cabestan.engine.durable import Durable


@pytest.mark.parametrize(
    ("fake", "original"),
    [
        (fakes.FakeEngine, Engine),
        (fakes.FakeJobs, JobContainers),
        (fakes.FakeBuilders, Builders),
        (fakes.FakeRuns, StackRuns),
        (fakes.FakeStacks, Stacks),
        (fakes.FakeRegistry, Registry),
        (fakes.FakePlatform, PlatformContainers),
        (fakes.FakeDurable, Durable),
        (fakes.FakeDatabases, Databases),
        (fakes.FakeVolumes, VolumeArchives),
        (fakes.FakeImages, ImageCatalogue),
    ],
)
def test_a_fake_has_its_originals_methods(fake: type, original: type) -> None:
    for name, method in inspect.getmembers(original, inspect.isfunction):
        if not name.startswith("_"):
            assert str(inspect.signature(getattr(fake, name))) == str(inspect.signature(method)), name
