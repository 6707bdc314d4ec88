"""Each image of the catalogue does what a project expects of it, as user 1001."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import httpx
import pytest
from docker.errors import ContainerError
from tests.integration.harness import eventually, said_inside

from cabestan.adapters.images import BuildEvent, ImageBuilder, catalogue

pytestmark = pytest.mark.integration
CHECKOUT = Path(__file__).parents[2]
#: those that projects begin with; the platform's own are tested beside their builder
NAMES = ("base", "nginx", "node", "php", "python", "ruby")
VERSIONS = {"base": "12", "nginx": "1.22", "node": "18", "php": "8.2", "python": "3.11", "ruby": "3.1"}


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    client = docker.from_env(timeout=120)
    events: list[BuildEvent] = []
    builder = ImageBuilder(client, recipes=catalogue(CHECKOUT / "images"), report=events.append)
    builder.ensure([*NAMES, *(f"{name}-dev" for name in NAMES)])
    yield client
    client.close()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A working copy that is mounted into a container; any user may write to it."""
    folder = tmp_path / "copy"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


def reference(name: str) -> str:
    return f"cabestan/{name}:{VERSIONS[name.removesuffix('-dev')]}"


def run(client: docker.DockerClient, name: str, script: str, *, user: str = "1001", copy: Path | None = None) -> str:
    """What a script in bash prints, in the image's own working directory or in a mounted one."""
    mounted = {str(copy): {"bind": "/home/app", "mode": "rw"}} if copy else {}
    command = ["-euc", script]
    image = reference(name)
    try:
        printed = client.containers.run(
            image, command, entrypoint="bash", user=user, volumes=mounted, remove=True, stderr=True
        )
    except ContainerError as error:
        raise AssertionError(f"{error.exit_status}: {error.stderr.decode()}") from error
    return str(printed.decode())


@contextmanager
def serving(
    client: docker.DockerClient, name: str, command: str = "", *, port: int = 8000, **options: object
) -> Iterator[tuple[httpx.Client, docker.models.containers.Container]]:
    """A container that answers on the port, and a client for it."""
    container = client.containers.run(reference(name), command or None, detach=True, **options)
    try:
        container.reload()
        address = container.attrs["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
        with httpx.Client(base_url=f"http://{address}:{port}", timeout=10, trust_env=False) as http:
            until_it_answers(lambda: http.get("/").status_code, container)
            yield http, container
    finally:
        container.remove(force=True)


def until_it_answers(ask: Callable[[], object], container: docker.models.containers.Container) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            ask()
            return
        except httpx.TransportError:
            assert time.monotonic() < deadline, container.logs().decode()
            time.sleep(0.1)


def page(copy: Path, name: str, text: str) -> dict[str, object]:
    """The options of a container that serves a working copy with one page in it."""
    (copy / name).write_text(text)
    return {"volumes": {str(copy): {"bind": "/var/www/html", "mode": "rw"}}}


@pytest.mark.parametrize("name", [*NAMES, *(f"{name}-dev" for name in NAMES)])
def test_an_image_has_the_user_app_with_a_home_of_its_own(client: docker.DockerClient, name: str) -> None:
    says = run(client, name, "id -nu; id -u; touch /home/app/file; cd; pwd")
    assert says.split() == ["app", "1001", "/home/app"]


def test_a_dockerfile_may_make_a_user_1001_of_its_own(client: docker.DockerClient) -> None:
    for command in (
        "useradd own --uid 1001 --shell /bin/bash",
        "adduser --uid=1001 --disabled-password --gecos '' own",
    ):
        says = run(client, "python", f"{command} >/dev/null; id -nu 1001; id -u other 2>&1 || true", user="0")
        assert says.splitlines()[0] == "own"
    assert run(client, "base", "useradd other && id -nu 1001", user="0") == "app\n"


def test_nginx_serves_files_as_user_1001_with_nothing_to_write_to_but_tmp(
    client: docker.DockerClient, copy: Path
) -> None:
    (copy / "folder").mkdir()
    (copy / "folder" / "index.html").write_text("inside\n")
    (copy / ".env").write_text("SECRET=1\n")
    options = page(copy, "index.html", "<p>" + "hello " * 300) | {"read_only": True, "tmpfs": {"/tmp": ""}}
    with serving(client, "nginx", **options) as (http, container):
        answer = http.get("/")
        assert (answer.text, answer.headers["Content-Encoding"]) == ("<p>" + "hello " * 300, "gzip")
        # without our port and without the host: outside, both are others
        assert http.get("/folder").headers["Location"] == "/folder/"
        assert [http.get(path).status_code for path in ("/.env", "/.git/config", "/nothing")] == [404, 404, 404]
        assert said_inside(container, "id", "-u") == "1001"
        container.stop(timeout=10)
        container.reload()
        assert container.attrs["State"]["ExitCode"] == 0


def test_nginx_dev_shows_changes_and_lists_folders(client: docker.DockerClient, copy: Path) -> None:
    with serving(client, "nginx-dev", **page(copy, "a.html", "one")) as (http, _):
        assert "a.html" in http.get("/").text
        (copy / "a.html").write_text("another")
        answer = http.get("/a.html")
        assert (answer.text, answer.headers["Cache-Control"]) == ("another", "no-store")


def test_php_answers_behind_nginx_with_what_its_environment_says(client: docker.DockerClient, copy: Path) -> None:
    text = (
        "<?php error_log('to the log'); header('Content-Type: application/json');"
        "echo json_encode([getenv('GREETING'), $_SERVER['REQUEST_URI'], $_SERVER['HTTPS'], posix_getuid(), "
        "array_map('extension_loaded', ['pdo_mysql', 'pdo_pgsql', 'redis', 'gd', 'intl', 'mbstring', 'zip'])]);"
    )
    with serving(client, "php", environment={"GREETING": "hello"}, **page(copy, "index.php", text)) as (
        http,
        container,
    ):
        over_https = http.get("/any/path?a=b", headers={"X-Forwarded-Proto": "https"}).json()
        assert over_https == ["hello", "/any/path?a=b", "on", 1001, [True] * 7]
        assert http.get("/").json()[2] is None
        assert http.get("/other.php").status_code == 404
        eventually(lambda: b"to the log" in container.logs(), 10, "the error is in the log")
        container.stop(timeout=10)
        container.reload()
        assert container.attrs["State"]["ExitCode"] == 0


def test_a_php_container_ends_when_one_of_its_two_halves_does(client: docker.DockerClient, copy: Path) -> None:
    with serving(client, "php", **page(copy, "index.php", "<?php echo 1;")) as (_, container):
        container.exec_run(["bash", "-c", "kill -KILL $(cat /tmp/nginx.pid)"])
        assert container.wait(timeout=20)["StatusCode"] == 137


def test_php_dev_shows_changes_and_has_composer(client: docker.DockerClient, copy: Path) -> None:
    with serving(client, "php-dev", **page(copy, "index.php", "<?php echo 'one';")) as (http, _):
        assert http.get("/").text == "one"
        (copy / "index.php").write_text("<?php echo 'another';")
        assert http.get("/").text == "another"
    (copy / "composer.json").write_text('{"name": "t/t", "autoload": {"files": ["a.php"]}}')
    (copy / "a.php").write_text("<?php echo 'loaded';")
    script = "cd /home/app; composer --quiet dump-autoload; php -r 'require \"vendor/autoload.php\";'; "
    script += "phpize --version; cc --version"
    says = run(client, "php-dev", script, user="4321", copy=copy)
    assert says.startswith("loadedConfiguring for:")


def test_node_runs_a_script_and_finds_debian_s_modules(client: docker.DockerClient) -> None:
    assert run(client, "node", "node -p process.getuid\\(\\)").strip() == "1001"
    assert run(client, "node", "node --version").startswith("v18.")


def test_node_dev_works_on_a_mounted_copy_as_any_user(client: docker.DockerClient, copy: Path) -> None:
    (copy / "package.json").write_text('{"name": "t", "version": "1.0.0", "scripts": {"hello": "node hello.js"}}')
    (copy / "hello.js").write_text("console.log('hello', process.getuid())")
    says = run(client, "node-dev", "npm run --silent hello; npm pack --silent; cc --version", user="4321", copy=copy)
    assert says.startswith("hello 4321\nt-1.0.0.tgz\n")
    assert (copy / "t-1.0.0.tgz").exists()


def test_python_dev_compiles_against_python_s_headers_as_any_user(client: docker.DockerClient, copy: Path) -> None:
    (copy / "m.c").write_text("#include <Python.h>\nint main(void) { puts(PY_VERSION); return 0; }\n")
    script = (
        "cc $(python3-config --includes) m.c -o m; ./m; python -m venv --system-site-packages v; v/bin/pip --version"
    )
    says = run(client, "python-dev", script, user="4321", copy=copy)
    assert says.startswith("3.11.")
    assert "pip 23" in says


def test_ruby_serves_a_rack_application(client: docker.DockerClient, copy: Path) -> None:
    (copy / "config.ru").write_text("run ->(_) { [200, {}, [RUBY_VERSION, ' ', Process.uid.to_s]] }\n")
    mounted = {str(copy): {"bind": "/home/app", "mode": "ro"}}
    command = "puma --bind tcp://0.0.0.0:8000"
    with serving(client, "ruby", command, user="1001", volumes=mounted) as (http, _):
        assert http.get("/").text.startswith("3.1.")
        assert http.get("/").text.endswith(" 1001")


def test_ruby_dev_compiles_an_extension_and_has_bundler_as_any_user(client: docker.DockerClient, copy: Path) -> None:
    (copy / "extconf.rb").write_text("require 'mkmf'\ncreate_makefile('answer')\n")
    code = '#include <ruby.h>\nvoid Init_answer(void) { rb_define_global_const("ANSWER", INT2FIX(42)); }\n'
    (copy / "answer.c").write_text(code)
    (copy / "Gemfile").write_text("gem 'puma'\n")
    script = (
        "ruby extconf.rb; make; ruby -r./answer -e 'puts ANSWER'; bundle install --local --quiet; bundle exec puma -V"
    )
    says = run(client, "ruby-dev", script, user="4321", copy=copy).splitlines()
    assert "42" in says
    assert says[-1].startswith("puma version 5")
