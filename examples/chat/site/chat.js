"use strict";

const messages = document.querySelector("#messages");
const text = document.querySelector("#text");
let socket;

function connect() {
  socket = new WebSocket(`${location.origin.replace("http", "ws")}/ws/`);
  socket.onopen = () => messages.replaceChildren();
  socket.onmessage = ({ data }) => {
    const line = document.createElement("li");
    line.textContent = data;
    messages.append(line);
    line.scrollIntoView();
  };
  socket.onclose = () => setTimeout(connect, 1000);
}

document.querySelector("#form").addEventListener("submit", (event) => {
  event.preventDefault();
  socket.send(text.value);
  text.value = "";
});

connect();
