import pytest

from cabestan.pipeline.image_names import Named, named_images


@pytest.mark.parametrize(
    ("instruction", "image"),
    [
        ("FROM a/b:1", "a/b:1"),
        ("from --platform=$BUILDPLATFORM a/b:1 as later", "a/b:1"),
        ("FROM\ta/b:1", "a/b:1"),
        ("FROM \\\n  a/b:1", "a/b:1"),
        ("FROM \\\n\n# a comment\n  # another\n  a/b:1", "a/b:1"),
        ("FROM a/\\\nb:1", "a/b:1"),
        ("COPY --from=a/b:1 /x /y", "a/b:1"),
        ("COPY --chown=1001 --from=a/b:1 /x /y", "a/b:1"),
        ('COPY --from=a/b:1 ["/x", "/y"]', "a/b:1"),
        ('COPY --from="a/b:1" /x /y', "a/b:1"),
        ("COPY --fr'om'=a\\/b:1 /x /y", "a/b:1"),
        ("ONBUILD COPY --from=a/b:1 /x /y", "a/b:1"),
        ("RUN --mount=type=bind,from=a/b:1,target=/x make", "a/b:1"),
        ('RUN --network=none --mount=type=bind,"FROM=a/b:1",target=/x make', "a/b:1"),
        ('RUN --mount="type=bind,from=a/b:1,target=/x" make', "a/b:1"),
        ("COPY --from=later /x /y", "later"),
    ],
)
def test_an_image_is_found_wherever_it_is_named(instruction: str, image: str) -> None:
    assert named_images(f"FROM base AS first\n{instruction}\n")[1:] == (Named(image, 2),)


@pytest.mark.parametrize(
    "instruction",
    [
        "FROM First",
        "FROM scratch",
        "COPY --from=first /x /y",
        "COPY --from=0 /x /y",
        "COPY /x --from=a/b:1",
        "COPY -- --from=a/b:1 /y",
        "ADD --from=a/b:1 /x /y",
        "RUN echo FROM a/b:1 --mount=from=a/b:1",
        "RUN --mount=type=cache,target=/from=a/b make",
        "RUN <<EOF\nFROM a/b:1\nEOF",
        "LABEL FROM=a/b:1",
        "# FROM a/b:1",
        "FROM",
        "COPY",
        "ONBUILD",
        "RUN --mount= make",
    ],
)
def test_stages_and_other_words_are_no_images(instruction: str) -> None:
    assert named_images(f"FROM base AS first\n{instruction}\n")[1:] == ()


@pytest.mark.parametrize(
    ("top", "joined"),
    [
        ("# escape=`", True),
        ("# syntax=docker/dockerfile:1\n# ESCAPE = `", True),
        ("# a\n# escape=`", False),
        ("# a=b\n# escape=`", False),
    ],
)
def test_lines_are_joined_as_the_directive_at_the_very_top_says(top: str, joined: bool) -> None:
    found = named_images(f"{top}\nFROM base\nRUN true `\nFROM a/b:1\n")
    assert [image.written for image in found] == (["base"] if joined else ["base", "a/b:1"])


def test_a_byte_order_mark_hides_nothing() -> None:
    assert named_images("\ufeffFROM a/b:1\n") == (Named("a/b:1", 1),)
