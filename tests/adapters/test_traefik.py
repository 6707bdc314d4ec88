"""What the router is started with, and what it reads."""

import yaml

from cabestan.adapters.traefik import Acme, Ports, down_file, platform_file, router_container

PORTS = Ports("127.0.0.1", 8080, 8443, 8443)
SOCKET = "/var/run/docker.sock"


def test_the_router_reads_the_labels_of_its_own_installation_alone() -> None:
    made = router_container("cabestan", "cabestan/router:5", PORTS, "localhost", None)
    assert (made.name, made.role, made.image, made.environment) == (
        "cabestan-router",
        "router",
        "cabestan/router:5",
        {},
    )
    assert made.ports == {"8000/tcp": ("127.0.0.1", 8080), "8443/tcp": ("127.0.0.1", 8443)}
    assert made.volumes == {SOCKET: SOCKET, "cabestan-router": "/router", "cabestan-acme": "/acme"}
    assert list(made.files) == ["/router/platform.yml"]
    assert "--providers.swarm.constraints=Label(`cabestan.instance`, `cabestan`)" in made.command
    assert "--providers.swarm.exposedbydefault=false" in made.command
    assert not [word for word in made.command if word.startswith(("--api", "--certificatesresolvers"))]


def test_an_acme_account_answers_over_http_or_by_the_dns_provider() -> None:
    over_http = Acme("me@example.org", "https://ca/dir", b"PEM")
    by_dns = Acme("me@example.org", "https://ca/dir", b"", "httpreq", {"HTTPREQ_ENDPOINT": "x"}, ("9.9.9.9:53",))
    words = {}
    for name, acme in (("http", over_http), ("dns", by_dns)):
        made = router_container("cabestan", "i", PORTS, "apps.example.org", acme, b"{}")
        start = "--certificatesresolvers.acme.acme."
        words[name] = [word.removeprefix(start) for word in made.command if word.startswith(start)]
        words[name] += [*made.environment, *made.files]
    common = ["email=me@example.org", "caserver=https://ca/dir", "storage=/acme/acme.json", "keytype=EC256"]
    files = ["/router/platform.yml", "/router/acme-authorities.pem", "/acme/acme.json"]
    assert words["http"] == [
        *common,
        "cacertificates=/router/acme-authorities.pem",
        "httpchallenge.entrypoint=web",
        *files,
    ]
    assert words["dns"] == [
        *common,
        "dnschallenge.provider=httpreq",
        "dnschallenge.resolvers=9.9.9.9:53",
        "HTTPREQ_ENDPOINT",
        files[0],
        files[2],
    ]


def test_plain_requests_are_sent_to_the_port_that_users_see() -> None:
    def redirect(public: int) -> dict[str, object]:
        ports = Ports("0.0.0.0", 8080, 8443, public)
        document = yaml.safe_load(platform_file(ports, "localhost", wildcard=False))
        found: dict[str, object] = document["http"]["middlewares"]["to-https"]["redirectScheme"]
        return found

    assert redirect(8443) == {"scheme": "https", "permanent": False, "port": "8443"}
    assert redirect(443) == {"scheme": "https", "permanent": False}


def test_what_answers_last_has_a_public_certificate_where_one_for_all_names_can_be_had() -> None:
    def tls(domain: str, *, wildcard: bool) -> object:
        routers = yaml.safe_load(platform_file(PORTS, domain, wildcard=wildcard))["http"]["routers"]
        assert {router["priority"] for router in routers.values()} == {-1}
        return routers["nothing-here-secure"]["tls"]

    assert tls("apps.example.org", wildcard=False) == {}
    assert tls("apps.example.org", wildcard=True) == {
        "certResolver": "acme",
        "domains": [{"main": "apps.example.org", "sans": ["*.apps.example.org"]}],
    }


def test_the_keys_of_a_dns_provider_show_nowhere() -> None:
    acme = Acme("me@example.org", "https://ca/dir", b"", "httpreq", {"HTTPREQ_PASSWORD": "canary"})
    made = router_container("cabestan", "i", PORTS, "localhost", acme, b"canary")
    assert "canary" not in repr(made) + repr(acme) + made.settings
    assert made.settings != router_container("cabestan", "i", PORTS, "localhost", None).settings


def test_what_is_down_is_answered_for_below_every_route_and_above_what_leads_nowhere() -> None:
    path, content = down_file({"s_web": "Host(`a.org`)"})
    assert path == "/router/down.yml"
    routers = yaml.safe_load(content)["http"]["routers"]
    assert {name: (one["rule"], one["entryPoints"]) for name, one in routers.items()} == {
        "down-s_web": ("Host(`a.org`)", ["web"]),
        "down-s_web-secure": ("Host(`a.org`)", ["websecure"]),
    }
    platform = yaml.safe_load(platform_file(PORTS, "localhost", wildcard=False))["http"]
    assert {one["priority"] for one in routers.values()} == {1}
    assert {one["priority"] for one in platform["routers"].values()} == {-1}
    assert all(set(one["middlewares"]) <= platform["middlewares"].keys() for one in routers.values())


def test_where_nothing_is_deployed_nothing_is_down() -> None:
    assert yaml.safe_load(down_file({})[1]) == {}
