"""An application that uses MongoDB by pymongo: each path is a function, whose answer is told as JSON."""

import datetime
import hashlib
import http.server
import os

import bson
import pymongo
from bson import json_util

NAME, USER, PASSWORD = (os.environ[f"MONGODB_{word}"] for word in ("DB", "USER", "PASSWORD"))
FIRST = datetime.datetime(2024, 2, 29, 12, 30, 15, 123000)


def connected(user_info="", options=""):
    return pymongo.MongoClient(f"mongodb://{user_info}mongodb/{NAME}?authSource={NAME}{options}")


database = connected(f"{USER}:{PASSWORD}@")[NAME]
things, others = database.things, database.others


def thing(n):
    return {
        "_id": bson.ObjectId(f"{n:024x}"),
        "text": f"é😀\x01\u2028 {n} ' \" \\ $x.y \0 \t\r\n<&>",
        "at": FIRST + datetime.timedelta(days=n),
        "raw": bytes([n % 256, 0, 255]),
        "size": {"width": n, "deep": [{"er": n / 7, "empty": {}}, [], None, "", True]},
        "large": bson.Int64(2**62 + n),
        "parity": "even" if n % 2 == 0 else "odd",
    }


def fill():
    things.create_index([("parity", 1), ("size.width", 1)])
    things.create_index("large", unique=True)
    things.insert_many([thing(n) for n in range(3000)])
    others.insert_many([{"_id": "é", "n": -0.0}, {"_id": 7, "n": []}, {"_id": FIRST, "ref": thing(7)["_id"]}])
    database.get_collection("others", write_concern=pymongo.WriteConcern(w=0)).insert_one({"_id": "unacknowledged"})


def write():
    for collection in (things, others):
        collection.update_many({"_id": {"$in": ["é", thing(1)["_id"]]}}, {"$inc": {"written": 1}})


def queries():
    late = {"parity": "odd", "at": {"$gte": FIRST + datetime.timedelta(days=2990)}}
    updated = things.update_many(
        {"size.width": {"$lt": 10}}, {"$set": {"size.small": "ü"}, "$inc": {"size.width": 5000}}
    )
    group = {"_id": "$parity", "n": {"$sum": 1}, "most": {"$max": "$size.width"}}
    return {
        "found": [found["size"]["width"] for found in things.find(late).sort("size.width", -1).limit(3)],
        "updated": [updated.matched_count, things.find_one({"_id": thing(3)["_id"]})["size"]["small"]],
        "groups": list(things.aggregate([{"$group": group}, {"$sort": {"_id": 1}}])),
        "count": things.count_documents({"text": {"$regex": "^é😀.* 29[0-9][0-9] "}}),
        "unchanged": things.find_one({"large": 2**62 + 77}) == thing(77),
        "twice": refusal(lambda: things.insert_one({"large": thing(5)["large"]})),
    }


def everything():
    return {name: kept(database[name]) for name in sorted(database.list_collection_names())}


def kept(collection):
    """The number of documents, a hash of them whole, and the names of indexes."""
    found = sorted(json_util.dumps(document, sort_keys=True) for document in collection.find())
    return [len(found), hashlib.sha256("".join(found).encode()).hexdigest(), sorted(collection.index_information())]


def spoil():
    things.delete_many({"parity": "odd"})
    things.update_many({}, {"$set": {"text": "spoilt"}})
    things.drop_indexes()
    others.drop()
    database.later.insert_one({"n": 1})


def refusals():
    return {
        "wrong password": refusal(connected(f"{USER}:{PASSWORD}x@")[NAME].things.find_one),
        "another user": refusal(connected(f"admin:{PASSWORD}@")[NAME].things.find_one),
        "another mechanism": refusal(connected(f"{USER}:{PASSWORD}@", "&authMechanism=PLAIN")[NAME].things.find_one),
        "no password": refusal(connected()[NAME].things.find_one),
        "no password, writing": refusal(lambda: connected()[NAME].things.insert_one({})),
        "another database": refusal(database.client.another.things.find_one),
    }


def refusal(act):
    try:
        return f"not refused: {act()}"
    except pymongo.errors.PyMongoError as error:
        return getattr(error, "code", str(error))


PATHS = {f"/{act.__name__}": act for act in (fill, write, queries, everything, spoil, refusals)}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            status, answer = 200, PATHS[self.path]() if self.path in PATHS else "up"
        except pymongo.errors.PyMongoError as error:
            status, answer = 500, f"{type(error).__name__}: {error}"
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json_util.dumps(answer).encode())

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    http.server.HTTPServer(("", 8000), Handler).serve_forever()
