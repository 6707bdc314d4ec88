"""Rules about routes: which requests a service answers. None can be waived, for a route takes requests from others."""

from __future__ import annotations

from cabestan.compose.rules.examples import routed, web
from cabestan.domain.rule import Rule

RULES = (
    Rule(
        "route",
        "A route is understood whole",
        "What is understood in part could catch the requests of others.",
        "Write Host:example.org or Host:example.org;PathPrefix:/path.",
        wrong=routed("Host:not_a_host!"),
        right=routed("Host:www.example.org"),
    ),
    Rule(
        "route-label",
        "Only known labels of the router",
        "A label that is dropped could be the one that asked for a password.",
        "Remove it, or write one of those that the message names.",
        wrong=routed("Host:www.example.org", "  traefik.frontend.nonsense: a\n"),
    ),
    Rule(
        "route-matcher",
        "Only known matchers",
        "A rule with a matcher that is not known would match something else.",
        "Write one of those that the message names.",
        wrong=routed("Nonsense:a"),
        right=routed("Host:a.example.org"),
    ),
    Rule(
        "route-port",
        "A routed service has one port",
        "The router must know where to send requests. Where the service exposes no port, the lowest that its image "
        "declares by EXPOSE counts, and one must be declared there.",
        "Expose one port, or add the label traefik.port.",
        wrong=web("expose: [8000, 9000]\nlabels:\n  traefik.frontend.rule: Host:www.example.org"),
        right=routed("Host:www.example.org"),
    ),
    Rule(
        "route-twice",
        "An address leads to one service",
        "Requests would go now to the one, now to the other.",
        "Change one of the rules.",
        wrong=routed(
            "Host:a.example.org",
            "  other:\n    image: a\n    expose: [80]\n    labels: {traefik.frontend.rule: 'Host:a.example.org'}\n",
        ).replace("      other:", "  other:"),
        right=routed(
            "Host:a.example.org",
            "  other:\n    image: a\n    expose: [80]\n    labels: {traefik.frontend.rule: 'Host:b.example.org'}\n",
        ).replace("      other:", "  other:"),
    ),
    Rule(
        "route-ignored",
        "Labels of a route have an effect here",
        "What is dropped silently is missed on the day that it is needed.",
        "Remove it.",
        "warning",
    ),
    Rule(
        "route-hidden",
        "A route can be reached",
        "Another one with a higher priority takes all its requests.",
        "Give the narrower route the higher traefik.frontend.priority.",
        "warning",
    ),
)
