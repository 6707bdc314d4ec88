"""What a search found."""

from dataclasses import dataclass

from cabestan.web.pages.views.pipelines import PipelineRow


@dataclass(frozen=True)
class Hit:
    text: str
    href: str
    kind: str


@dataclass(frozen=True)
class SearchPage:
    query: str
    hits: tuple[Hit, ...]
    pipelines: tuple[PipelineRow, ...]

    @property
    def nothing(self) -> bool:
        return bool(self.query) and not self.hits and not self.pipelines
