"use strict";
// Hands every message on to everybody who is connected; who comes later gets the last ones.

const http = require("node:http");
const { WebSocket, WebSocketServer } = require("ws");

const KEPT = 20;
const LONGEST = 500;
const kept = [];

const server = http.createServer((request, response) => response.end("The chat speaks WebSocket.\n"));
const chat = new WebSocketServer({ server, maxPayload: 4096 });

chat.on("connection", (visitor) => {
  kept.forEach((text) => visitor.send(text));
  visitor.on("message", (data) => say(data.toString().slice(0, LONGEST)));
  visitor.on("error", (error) => console.error(error.message));
});

function say(text) {
  kept.push(text);
  kept.splice(0, kept.length - KEPT);
  for (const visitor of chat.clients) {
    if (visitor.readyState === WebSocket.OPEN) visitor.send(text);
  }
}

// 1012: the service restarts, and browsers may come back
process.on("SIGTERM", () => {
  chat.clients.forEach((visitor) => visitor.close(1012));
  server.close(() => process.exit(0));
});

server.listen(9000, () => console.log("chatting on port 9000"));
