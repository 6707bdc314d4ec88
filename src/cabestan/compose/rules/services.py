"""Rules about services: their names, images, variables, labels, and what they ask of the Swarm."""

from __future__ import annotations

from cabestan.compose.rules.examples import web
from cabestan.domain.rule import Rule

RULES = (
    Rule(
        "service-name",
        "A service's name is a plain word",
        "It becomes a host name and part of names in the Swarm.",
        "Use up to 40 lower-case letters, digits, - and _, a letter or digit first and last.",
        wrong="services:\n  Web:\n    image: a\n",
        right=web("tty: true"),
    ),
    Rule(
        "name-too-long",
        "The name in the Swarm has at most 63 characters",
        "Swarm takes no longer one; it is made of the installation, project, environment and service.",
        "Shorten the service's name, or the environment's.",
    ),
    Rule(
        "no-image",
        "A service has an image or is built",
        "Without either there is nothing to run.",
        "Add build: with the folder of its Dockerfile, or image: with the name of one.",
        wrong="services:\n  web:\n    tty: true\n",
        right="services:\n  web:\n    tty: true\n    build: .\n",
    ),
    Rule(
        "image-unclear",
        "A name beside `build` leads to one image",
        "A service that is not built may run what another one is built as, by the name that it has there. Where two "
        "are built under it, of other folders, targets or args, either could be meant.",
        "Give each of them an image name of its own.",
        wrong="services:\n  web: {build: ./web, image: shop}\n  api: {build: ./api, image: shop}\n"
        "  jobs: {image: shop}\n",
        right="services:\n  web: {build: ./web, image: web}\n  api: {build: ./api, image: api}\n  jobs: {image: api}\n",
    ),
    Rule(
        "build-args",
        "`build.args` are plain values that hold for every environment",
        "An image is built once, before it is known where it goes, and travels unchanged. Names that begin with "
        "BUILDKIT_ would steer the builder itself.",
        "Write the value out, give it a default as in ${NAME:-default}, or read it under environment.",
        wrong="services:\n  web:\n    build: {context: ., args: {BUILDKIT_SYNTAX: other/frontend}}\n",
        right='services:\n  web:\n    build: {context: ., args: {MODE: "${MODE:-production}"}}\n',
    ),
    Rule(
        "left-out",
        "Keys that change nothing of importance here are left out",
        "They tell Docker on one machine something that the platform does in its own way; the message says what "
        "happens instead.",
        "Remove it, or leave it for development.",
        "warning",
        wrong=web("build: {context: ., no_cache: true}"),
        right=web("build: ."),
    ),
    Rule(
        "image-unknown",
        "A service's image is one of the release",
        "What the pipeline did not build for this commit would be somebody else's, or an older one.",
        "Name an image that the pipeline builds, and add its Dockerfile.",
    ),
    Rule(
        "build-path",
        "`build` stays within the repository",
        "Paths that lead out of it reach files that belong to nobody's commit.",
        "Write a relative path such as . or ./web.",
        wrong=web("build: ../other"),
        right=web("build: ./web"),
    ),
    Rule(
        "build-plan",
        "What is to be built can be built",
        "The images of a commit are worked out before anything runs: Dockerfiles that are not there, two images of "
        "one name or a circle of bases end it there.",
        "Do what the message says.",
    ),
    Rule(
        "no-root",
        "No service runs as root",
        "Who breaks into a container as root is one fault of the kernel away from the machine.",
        "Give the image a user of its own; 1001 is the one that volumes belong to.",
        waivable=True,
        wrong=web("user: root"),
        right=web('user: "1001"'),
    ),
    Rule(
        "variable-name",
        "A variable's name is a word",
        "Others cannot be set in a process's environment.",
        "Use letters, digits and _.",
        wrong=web('environment: {"a b": c}'),
    ),
    Rule(
        "secret-shown",
        "Secrets stand in `environment` only",
        "Anywhere else they would be on pages, in lists of processes or in names.",
        "Use the secret under environment, and have the application read it there.",
    ),
    Rule(
        "secret-unknown",
        "A secret that is used is there",
        "The environment has none of this name.",
        "Set it: cabestan secret set -e ENV NAME.",
    ),
    Rule(
        "secret-name",
        "A secret's name is a word",
        "It names a secret of the environment, which is a variable's name.",
        "Use letters, digits and _, or name the secret: environment: API_KEY.",
        wrong=web("secrets: [a-b]"),
        right=web("secrets: [API_KEY]"),
    ),
    Rule(
        "secret-target",
        "A secret is a file in /run/secrets",
        "Anywhere else it could take the place of a file of the image.",
        "Write a plain name such as api_key.",
        wrong=web("secrets: [{source: API_KEY, target: ../key}]"),
        right=web("secrets: [{source: API_KEY, target: api_key}]"),
    ),
    Rule(
        "label-name",
        "A label's name is plain",
        "Others mean nothing to any reader of labels.",
        "Use letters, digits and . _ - /.",
        wrong=web('labels: {"a b": c}'),
    ),
    Rule(
        "label-reserved",
        "Labels of the platform and the engine stay theirs",
        "By them Cabestan finds what is its own and whose it is; a project that set them could pass for another one.",
        "Choose another name.",
        wrong=web("labels: {cabestan.project: other/one}"),
    ),
    Rule(
        "cronjob",
        "A service that runs by the clock says when and what",
        "Half a schedule would never run, and one that cron cannot read at another time than was meant.",
        "Give both sh.factory.cronjob.schedule (five fields of cron, or @daily) and sh.factory.cronjob.command.",
        wrong=web('labels: {sh.factory.cronjob.schedule: "@reboot", sh.factory.cronjob.command: ./report.sh}'),
        right=web('labels: {sh.factory.cronjob.schedule: "@daily", sh.factory.cronjob.command: ./report.sh}'),
    ),
    Rule(
        "dependency",
        "What a service depends on is there",
        "The start would wait for ever.",
        "Add the service, or remove the dependency.",
        wrong=web("depends_on: [nobody]"),
    ),
    Rule(
        "dependency-circle",
        "Services do not wait for each other in a circle",
        "None of them could be the first.",
        "Remove one of the dependencies.",
        wrong=web("depends_on: [web]"),
    ),
    Rule(
        "link-alias",
        "A link's other name has no dot and leads to one service",
        "In the environment's network one name cannot lead to two services, and one with a dot could hide a host of "
        "the outside from the other services and from the router.",
        "Choose another name, or use the service's own.",
        wrong=web('links: ["db:db.example.org"]', "  db:\n    image: postgres:15\n"),
        right=web("depends_on: [db]", "  db:\n    image: postgres:15\n"),
    ),
    Rule(
        "managed-image",
        "A managed service needs an image on this installation",
        "The platform serves `mongodb` itself, but MongoDB is not in Debian, and nobody has set an image of it.",
        "An administrator sets mongodb_image; until then, use another database, or run your own there.",
    ),
    Rule(
        "links-deprecated",
        "`links` is deprecated",
        "It works as depends_on: in the environment's network all services find each other anyway.",
        "Write depends_on.",
        "warning",
        wrong=web("links: [db]", "  db:\n    image: postgres:15\n"),
        right=web("depends_on: [db]", "  db:\n    image: postgres:15\n"),
    ),
    Rule(
        "ports-deprecated",
        "`ports` is deprecated",
        "It works as expose: nothing is ever published on the machine. Requests come through the router.",
        "Write expose, and a route in labels.",
        "warning",
        wrong=web('ports: ["80:8000"]'),
        right=web("expose: [8000]"),
    ),
    Rule(
        "placement",
        "Placement goes by the labels of nodes",
        "Other constraints, such as a node's role or name, could put a project where the platform itself runs.",
        "Write node.labels.NAME == VALUE; an administrator labels the nodes.",
        wrong=web("deploy: {placement: {constraints: [node.role == manager]}}"),
        right=web("deploy: {placement: {constraints: [node.labels.disk == ssd]}}"),
    ),
)
