"use strict";
// Counts the visits of each page in Redis: however many replicas serve, and whatever release, the count goes on.

const http = require("node:http");
const { createClient } = require("redis");

const redis = createClient({ url: process.env.REDIS_URL });
redis.on("error", (error) => console.error(`redis: ${error.message}`));

async function answer(request, response) {
  const { pathname } = new URL(request.url, "http://localhost");
  if (pathname === "/health") {
    await redis.ping();
    return response.end("ok\n");
  }
  const visits = await redis.hIncrBy("visits", pathname, 1);
  response.setHeader("Content-Type", "application/json; charset=utf-8");
  return response.end(JSON.stringify({ page: pathname, visits }) + "\n");
}

const server = http.createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(error.message);
    response.writeHead(503).end("The counter does not answer.\n");
  });
});

process.on("SIGTERM", () => server.close(() => redis.quit().finally(() => process.exit(0))));

redis.connect();
server.listen(9000, () => console.log("counting on port 9000"));
