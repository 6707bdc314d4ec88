"""Rules in all syntaxes, sensible and not, and requests that come near them."""

from __future__ import annotations

from hypothesis import strategies as st

from cabestan.compose.routing.answering import Request

HOSTS = ("a.org", "b.org", "www.a.org", "www.b.org", "x.y.a.org", "aa.org", "a.org.b.org", "deep.www.a.org", "b-a.org")
PATHS = ("/", "/a", "/a/", "/a/b", "/ab", "/x/12", "/x/123/y", "/x/abc", "/b%20c")
HOST_PARTS = ("{s:[a-z]+}", "{s}", "{s:.*}", "a", "www", "{s:(a|b)}", "{s:a.org|.*}", "x.{s:[a-z]{1,2}}")
HOST_PATTERNS = (
    r"^[a-z]+\.a\.org$",
    r"^.+\.b\.org$",
    r"\.a\.org$",
    r"a\.org$",
    r"^a\.org$|^b\.org$",
    r"^(www|deep)\.[ab]\.org$",
    r"^(.*\.)?www\.a\.org$",
    r"^.*$",
    r"^[^.]+[.]b[.]org$",
    r"^a.org$",
    r"(?i)^A\.org$",
    r"^\x61\.org$",
    r"^a\.org$|.*",
    r"^(a\.org|.*)$",
    r"^[a\]]+\.www\.b\.org$",
    r"^b\Q.\E.a\.org$",
)

_names = st.sampled_from(HOSTS)
_templates = st.tuples(st.sampled_from(HOST_PARTS), st.sampled_from(("a.org", "b.org", "www.a.org", "org"))).map(
    ".".join
)
_paths = st.sampled_from((*PATHS[:-1], "/x/{n:[0-9]+}", "/x/{n}", "/{a:(a|x)}/"))


def _commas(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=3).map(",".join)


_old_parts = st.one_of(
    _commas(_names).map("Host:{}".format),
    _commas(_names | _templates).map("HostRegexp:{}".format),
    st.tuples(st.sampled_from(("Path", "PathPrefix", "PathPrefixStripRegex")), _commas(_paths)).map(":".join),
    _commas(st.sampled_from(("GET", "POST", "put"))).map("Method:{}".format),
    st.sampled_from(("Headers:X-A,b", "HeadersRegexp:X-A,^(a|b)", "Query:q=1", "Query:q={n:[0-9]+},z=")),
)
#: rules of Traefik 1
old_rules = st.lists(_old_parts, min_size=1, max_size=3).map(";".join)


def _call(name: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=2).map(
        lambda found: f"{name}({', '.join(f'`{value}`' for value in found)})"
    )


_matchers = st.one_of(
    _call("Host", _names),
    _call("Host", _names),
    _call("HostRegexp", st.sampled_from(HOST_PATTERNS) | _templates),
    _call("Path", _paths),
    _call("PathPrefix", _paths),
    st.sampled_from(
        (
            "PathRegexp(`^/x/[0-9]+$`)",
            "Method(`GET`)",
            "Method(`POST`, `PUT`)",
            "Header(`X-A`, `b`)",
            "HeadersRegexp(`X-A`, `^(a|b)`)",
            "Query(`q`, `1`)",
            "Query(`q=1`)",
            'HostHeader("a.org")',
        )
    ),
)
#: rules of Traefik 2 and 3
new_rules = st.recursive(
    _matchers,
    lambda inner: st.one_of(
        inner.map("!{}".format),
        inner.map("({})".format),
        st.tuples(inner, inner).map(" && ".join),
        st.tuples(inner, inner).map(" || ".join),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} || {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"!({pair[0]} && {pair[1]})"),
    ),
    max_leaves=6,
)

requests = st.builds(
    Request,
    host=st.sampled_from((*HOSTS, "zz.a.org", "ab.b.org", "c.org", "x.ab.a.org")),
    path=st.sampled_from(PATHS[:-1]),
    query=st.sampled_from(({}, {"q": ("1",)}, {"q": ("2",), "z": ("",)}, {"q": ("x",)})),
    method=st.sampled_from(("GET", "POST", "PUT")),
    headers=st.sampled_from(({}, {"x-a": "b"}, {"x-a": "ab"}, {"x-a": "c"})),
)
