// The page: it shows the outputs that the board has, sends what the user changes and shows what anybody changed.

const AGAIN = 1500;  // milliseconds until the next try to connect
const ASK = 4000;  // milliseconds of silence until the page asks whether the board is there …
const GIVE_UP = 8000;  // … and until it gives the connection up
const CONNECT = 20000;  // milliseconds for connecting: a board with all its connections taken lets a new one wait
const WRONG_TOKEN = 4001;

const at = (id) => document.getElementById(id);
const controls = {};  // name -> { input, output, unit }
const wanted = new Map();  // name -> the value that the user wants and the board was not told yet
let sent = null;  // the name of the output that the board has not answered for yet
let heard = 0;  // when the board last said something
let socket;

function connect() {
  at("enter").hidden = true;
  socket = new WebSocket(new URL("control", location.href.replace(/^http/, "ws")));
  heard = Date.now();
  socket.onopen = () => send({ token: localStorage.getItem("token") || "" });
  socket.onmessage = (event) => {
    heard = Date.now();
    take(JSON.parse(event.data));
  };
  socket.onclose = (event) => lost(event.code);
}

function lost(code) {
  socket.onclose = socket.onmessage = null;
  socket.close();
  sent = null;
  wanted.clear();
  link("down", code === WRONG_TOKEN ? "Token needed" : "Connection lost, trying again …");
  if (code === WRONG_TOKEN) {
    at("enter").hidden = false;
    at("token").focus();
  } else {
    setTimeout(connect, AGAIN);
  }
}

function link(name, text) {
  at("link").className = name;
  at("link").textContent = text;
  const fields = document.querySelector("fieldset");
  if (fields) fields.disabled = name !== "up";
}

const send = (message) => socket.send(JSON.stringify(message));

function take(message) {
  if (message.outputs) {
    build(message.outputs);
    link("up", message.simulated ? "Connected, simulated outputs" : "Connected");
  } else if (message.error) {
    at("error").textContent = message.error;
    sent = null;
  } else if (message.name) {
    if (message.name === sent) sent = null;
    if (!wanted.has(message.name)) show(message.name, message.value);
  }
  sendNext();
}

function build(outputs) {
  const fields = document.createElement("fieldset");
  for (const { name, label, high, unit, value } of outputs) {
    const row = document.createElement("label");
    const input = document.createElement("input");
    const output = document.createElement("output");
    input.id = row.htmlFor = name;
    if (unit) {
      input.type = "range";
      input.max = high;
      row.append(label, output, input);
    } else {
      input.type = "checkbox";
      input.role = "switch";
      row.append(label, input);
    }
    input.oninput = () => {
      at("error").textContent = "";
      wanted.set(name, unit ? input.valueAsNumber : Number(input.checked));
      output.textContent = input.value + unit;
      sendNext();
    };
    controls[name] = { input, output, unit };
    fields.append(row);
    show(name, value);
  }
  at("outputs").replaceChildren(fields);
}

function show(name, value) {
  const { input, output, unit } = controls[name];
  input.checked = Boolean(value);
  if (unit) {
    input.value = value;
    output.textContent = value + unit;
  }
}

// One change at a time is under way: a slider that moves fast skips values rather than filling the board's queue.
function sendNext() {
  if (sent !== null || !wanted.size || socket.readyState !== WebSocket.OPEN) return;
  const [name, value] = wanted.entries().next().value;
  wanted.delete(name);
  sent = name;
  send({ name, value });
}

at("enter").onsubmit = (event) => {
  event.preventDefault();
  localStorage.setItem("token", at("token").value);
  connect();
};

// A board that has lost its power says nothing, and its connection looks well for minutes: silence is what tells.
setInterval(() => {
  const silence = Date.now() - heard;
  if (socket.readyState > WebSocket.OPEN) return;
  if (silence > (socket.readyState === WebSocket.OPEN ? GIVE_UP : CONNECT)) lost();
  else if (silence > ASK && socket.readyState === WebSocket.OPEN) send({});
}, 1000);

connect();
