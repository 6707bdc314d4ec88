"""A tiny project that uses the databases of its environment."""

from pathlib import Path

APP = """\
import http.server, os, psycopg2, pymysql, redis

def greet():
    out = []
    with psycopg2.connect(host="postgresql", dbname=os.environ["PG_DB"], user=os.environ["PG_USER"],
                          password=os.environ["PG_PASSWORD"]) as c, c.cursor() as q:
        q.execute("create table if not exists visits (n serial)")
        q.execute("insert into visits default values")
        q.execute("select count(*) from visits")
        out.append(f"postgresql {q.fetchone()[0]}")
    c.close()
    c = pymysql.connect(host="mysql", database=os.environ["MY_DATABASE"], user=os.environ["MY_USER"],
                        password=os.environ["MY_PASSWORD"], autocommit=True)
    with c.cursor() as q:
        q.execute("create table if not exists visits (n int auto_increment primary key)")
        q.execute("insert into visits values ()")
        q.execute("select count(*) from visits")
        out.append(f"mysql {q.fetchone()[0]}")
    c.close()
    r = redis.Redis(host="redis")
    out.append(f"redis {r.incr('visits')}")
    r.close()
    return ", ".join(out)

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            status, text = 200, greet() if self.path == "/visit" else "up"
        except Exception as error:
            status, text = 500, f"{type(error).__name__}: {error}"
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())
    def log_message(self, *_):
        pass

greet()
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""

#: an image that has the clients of all kinds, for `unbuilt`
CLIENTS = """\
FROM cabestan/python:3.11
RUN install-packages python3-psycopg2 python3-pymongo python3-pymysql python3-redis
USER 1001
"""

COMPOSE = """\
services:
  app:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    expose: [8000]
    depends_on: [postgresql, mysql, redis]
    environment:
      PG_DB: ${POSTGRES_DB}
      PG_USER: ${POSTGRES_USER}
      PG_PASSWORD: ${POSTGRES_PASSWORD}
      MY_DATABASE: ${MYSQL_DATABASE}
      MY_USER: ${MYSQL_USER}
      MY_PASSWORD: ${MYSQL_PASSWORD}
      SSL: ${MYSQL_SSL} ${POSTGRES_SSL}
    labels:
      traefik.frontend.rule: Host:${CI_ENVIRONMENT_DOMAIN}
      traefik.port: "8000"
  postgresql:
    image: postgres:9.6
    environment:
      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD}
    volumes: [pgdata:/var/lib/postgresql/data]
  mysql:
    image: mariadb:10.1
    environment:
      MYSQL_ROOT_PASSWORD: ${MYSQL_PASSWORD}
  redis:
    image: bearstech/redis
volumes:
  pgdata:
"""

ALL = {"app.py": APP, "docker-compose.yml": COMPOSE}

#: without an application of its own: `/visit` is not there, and nothing has to be built
IDLE = """\
services:
  app:
    image: cabestan/python:3.11
    user: "1001"
    stop_signal: SIGKILL
    command: [python3, -m, http.server, "8000"]
    expose: [8000]
    labels:
      traefik.frontend.rule: Host:${{CI_ENVIRONMENT_DOMAIN}}
      traefik.port: "8000"
{services}
"""


def idle(*kinds: str) -> dict[str, str]:
    """A project that asks for databases and does not use them."""
    services = "\n".join(f"  {kind}:\n    image: {kind}" for kind in kinds)
    return {"docker-compose.yml": IDLE.format(services=services)}


MONGO_APP = Path(__file__).with_name("mongodb_app.py").read_text()

MONGO = {
    "app.py": MONGO_APP,
    "docker-compose.yml": """\
services:
  app:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    expose: [8000]
    links: [mongodb]
    environment: [MONGODB_DB, MONGODB_USER, MONGODB_PASSWORD]
    labels:
      traefik.frontend.rule: Host:${CI_ENVIRONMENT_DOMAIN}
      traefik.port: "8000"
  mongodb:
    image: mongo:3.2
""",
}
