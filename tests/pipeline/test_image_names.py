import pytest

from cabestan.pipeline.image_names import Named, Rewrite, named_images, rewrites


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


def test_who_knows_no_here_documents_takes_their_lines_for_instructions() -> None:
    text = "FROM base\nRUN true <<CMD\nCOPY --from=a/b:1 / /x\nCMD\n"
    assert named_images(text)[1:] == ()
    assert named_images(text, here_documents=False)[1:] == (Named("a/b:1", 3),)


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


NAMES = {"a": "ours/a:1", "${B}": "ours/b:2", "stage": "never"}


@pytest.mark.parametrize(
    ("instruction", "rewritten"),
    [
        ("FROM a", Rewrite(2, 2, "FROM ours/a:1")),
        (
            "FROM --platform=linux/amd64 \\\n  # why\n  ${B} \\\n AS x",
            Rewrite(2, 5, "FROM --platform=linux/amd64 ours/b:2 AS x"),
        ),
        ("copy --from=a --chown=1 /x   /y", Rewrite(2, 2, "COPY --from=ours/a:1 --chown=1 /x   /y")),
        ("ONBUILD copy --from=a /x /y", Rewrite(2, 2, "ONBUILD COPY --from=ours/a:1 /x /y")),
        (
            "RUN --mount=type=bind,from=a,target=/x make \\\n  --from=a",
            Rewrite(2, 3, "RUN --mount=type=bind,from=ours/a:1,target=/x make   --from=a"),
        ),
        ('COPY --from=a --chown="x y" /x /y', Rewrite(2, 2, 'COPY --from=ours/a:1 --"chown=x y" /x /y')),
    ],
)
def test_an_instruction_is_rewritten_whole(instruction: str, rewritten: Rewrite) -> None:
    assert rewrites(f"FROM base AS stage\n{instruction}\nRUN true\n", NAMES) == (rewritten,)


@pytest.mark.parametrize(
    "instruction", ["FROM stage", "FROM other", 'RUN --mount="type=cache,target=/x" a', "COPY a b"]
)
def test_what_names_none_of_them_stays_as_it_is(instruction: str) -> None:
    assert rewrites(f"FROM base AS stage\n{instruction}\n", NAMES) == ()
