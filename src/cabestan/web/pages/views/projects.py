"""One project at a glance."""

from dataclasses import dataclass

from cabestan.web.pages.views.home import Cell
from cabestan.web.pages.views.pipelines import PipelineRow
from cabestan.web.pages.views.releases import ReleaseRow


@dataclass(frozen=True)
class ProjectPage:
    name: str
    default_branch: str
    git_url: str
    environments: tuple[Cell, ...]
    pipelines: tuple[PipelineRow, ...]
    releases: tuple[ReleaseRow, ...]
    may_run: bool

    @property
    def clone_commands(self) -> tuple[str, ...]:
        return (f"cabestan project clone {self.name}", f"git clone {self.git_url}")

    @property
    def push_commands(self) -> tuple[str, ...]:
        return (
            f"cabestan project clone {self.name}",
            f"git push origin {self.default_branch}",
        )
