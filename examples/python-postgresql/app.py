"""A guest book: what is written stays in PostgreSQL, and no release takes it away."""

import os

from database import database
from flask import Flask, redirect, render_template, request
from werkzeug.wrappers import Response

app = Flask(__name__)


@app.get("/")
def entries() -> str:
    with database() as db, db.cursor() as cursor:
        cursor.execute("SELECT author, message, written_at FROM entries ORDER BY id DESC LIMIT 50")
        return render_template("index.html", entries=cursor.fetchall(), environment=os.environ["ENV"])


@app.post("/")
def write() -> Response:
    author, message = request.form["author"].strip(), request.form["message"].strip()
    if author and message:
        with database() as db, db.cursor() as cursor:
            cursor.execute("INSERT INTO entries (author, message) VALUES (%s, %s)", (author[:80], message[:1000]))
    return redirect("/", 303)


@app.get("/health")
def health() -> str:
    return "ok\n"
