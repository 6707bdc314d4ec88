"""Rules about volumes: no path of the machine is ever mounted."""

from __future__ import annotations

from cabestan.compose.rules.examples import web
from cabestan.domain.rule import Rule

RULES = (
    Rule(
        "no-host-path",
        "No path of the machine is mounted",
        "The machine's files belong to nobody's project. `./data` is no such path: it becomes a volume of the "
        "environment, with the name of the path.",
        "Use a path such as ./data, or a named volume.",
        wrong=web("volumes: [/etc:/host]"),
        right=web("volumes: [./data:/data]"),
    ),
    Rule(
        "no-socket",
        "The engine's socket is not mounted",
        "Who has it has the machine and every project on it.",
        "Remove it.",
        wrong=web("volumes: [/var/run/docker.sock:/var/run/docker.sock]"),
    ),
    Rule(
        "volume-link",
        "A volume's path is no symbolic link",
        "The path names a volume of the environment; a link in the repository would seem to lead elsewhere.",
        "Name a path that is no link, such as ./data.",
    ),
    Rule(
        "no-anonymous-volume",
        "A volume has a name",
        "Without one each container would begin with a new one, a copy of what the image has there: nothing that is "
        "written to it would be found again. A folder of the image needs no volume to be there.",
        "Remove it: the image has the folder. Where data is to be kept, name it: ./data:/path.",
        wrong=web("volumes: [/home/app/vendor]"),
        right=web(""),
    ),
    Rule(
        "bad-volume",
        "A volume's source and target are plain",
        "Anything else would be read in another sense by some version of the engine.",
        "Write NAME:/path, ./path:/path or the long form with type, source and target.",
        wrong=web("volumes: [./data:relative]"),
        right=web("volumes: [./data:/data]"),
    ),
    Rule(
        "volume-option",
        "Only known options of a volume",
        "Others change how the machine shares its files.",
        "Use ro, rw or nocopy; size for tmpfs.",
        wrong=web("volumes: [./data:/data:shared]"),
        right=web("volumes: [./data:/data:ro]"),
    ),
    Rule(
        "volume-undeclared",
        "A named volume is declared",
        "A slip in the name would make a new, empty volume.",
        "Declare it in the top-level volumes.",
        wrong=web("volumes: [data:/data]"),
        right=web("volumes: [data:/data]", "volumes:\n  data: {}\n"),
    ),
    Rule(
        "volume-clash",
        "Each volume has a name of its own, and none lies in another",
        "Two paths that become one volume would write into each other; one below the other would not be seen in it.",
        "Rename one of them, or mount the outer path once.",
        wrong=web("volumes: [./data:/data, ./data/a:/a]"),
        right=web("volumes: [./data:/data]"),
    ),
    Rule(
        "mount-twice",
        "One volume at one path",
        "Of two at the same path only one would be seen.",
        "Keep one of them.",
        wrong=web("volumes: [./a:/data, ./b:/data]"),
        right=web("volumes: [./a:/data]"),
    ),
    Rule(
        "mounted-source",
        "Files of the commit that cannot be given are not mounted",
        "Few and small texts are given to the service as they are in the commit. Any other path becomes a volume of "
        "the environment, which is filled from the image once and then keeps what it has: the next commit's files "
        "would never be seen. The paths under `volumes` are compared with what the commit has: a file, a folder with "
        "files in it, a submodule. One that holds nothing but `.gitkeep` or `.gitignore` is as good as empty.",
        "Remove it, and COPY the path into the image; data belongs into a path that the commit lacks.",
    ),
    Rule(
        "path-is-volume",
        "A path that looks like a file's becomes a folder",
        "It becomes a volume, which starts empty and stays. Over a file of the image it cannot be made.",
        "Remove it, and COPY the file into the image; a folder for data has a name without a dot, such as ./data.",
        "warning",
        wrong=web("volumes: [./settings.ini:/etc/app/settings.ini]"),
        right=web(""),
    ),
    Rule(
        "files-given",
        "A mount of the commit's files gives them as they are",
        "A volume would keep their first version for ever. They are given to the service as Swarm's configs, which it "
        "cannot write to.",
        "COPY them into an image; name another path for data.",
        "warning",
    ),
    Rule(
        "mount-left-out",
        "Mounts over a service's own sources are left out",
        "They are for development: the image has been built from the same files. What is written there is not kept.",
        "COPY the files in the Dockerfile; keep data in a volume of its own, such as ./data.",
        "warning",
        wrong=web("build: .\nvolumes: ['.:/srv']"),
        right=web("build: .\nvolumes: ['./data:/data']"),
    ),
)
