// The page: it listens to /events, keeps the same samples as the board, and says when the board is away or has restarted.

import { Chart } from "./chart.mjs";

const AGAIN = 2000;  // milliseconds until the next try to connect
const CONNECT = 20000;  // milliseconds for connecting: a board with all its connections taken lets a new one wait
const STATES = { ok: "✓ Normal", low: "↓ Too cold", high: "↑ Too warm" };

const at = (id) => document.getElementById(id);
const show = (id, text) => { if (at(id).textContent !== text) at(id).textContent = text; };
const degrees = (value) => `${value.toFixed(1)} °C`;

const data = { values: [], capacity: 300, period: 1, limits: [] };
const chart = new Chart(at("chart"), data);
let boot = null;  // the name of the board's start
let next = 0;  // the number of the sample that comes next
let state = "ok";
let source, silence;

function connect() {
  clearTimeout(silence);
  source?.close();
  source = new EventSource(`events?after=${boot}-${next}`);
  source.addEventListener("hello", (event) => hello(JSON.parse(event.data)));
  source.addEventListener("samples", (event) => take(JSON.parse(event.data)));
  source.addEventListener("alarm", (event) => alarm(JSON.parse(event.data)));
  source.onerror = lost;
  silence = setTimeout(lost, CONNECT);
}

// A board that has lost its power says nothing, and its connection looks well for minutes: silence is what tells.
function watch() {
  clearTimeout(silence);
  silence = setTimeout(lost, 5000 + data.period * 2000);
}

function lost() {
  clearTimeout(silence);
  source.close();
  at("link").className = "down";
  show("link", "Connection lost, trying again …");
  document.querySelector(".now").classList.add("stale");
  silence = setTimeout(connect, AGAIN);
}

function hello(board) {
  if (boot && boot !== board.boot) {
    show("log", `The board restarted; back since ${new Date().toLocaleTimeString()}.`);
  }
  if (boot !== board.boot) {
    data.values.length = next = 0;
  }
  boot = board.boot;
  data.period = board.period;
  data.capacity = board.samples;
  show("past", `Last ${+((board.samples * board.period) / 60).toFixed(1)} minutes`);
  at("link").className = "up";
  show("link", board.simulated ? "Connected, simulated sensor" : "Connected");
  watch();
}

function take({ first, values }) {
  watch();
  document.querySelector(".now").classList.remove("stale");
  if (first > next) data.values.length = 0;  // some are missing between
  data.values.push(...values.slice(Math.max(0, next - first)).map((value) => value / 100));
  data.values.splice(0, data.values.length - data.capacity);
  next = Math.max(next, first + values.length);
  render();
}

function render() {
  const { values } = data;
  if (!values.length) return;
  const now = values[values.length - 1];
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  show("value", now.toFixed(1));
  show("lowest", degrees(lowest));
  show("highest", degrees(highest));
  show("average", degrees(values.reduce((sum, value) => sum + value, 0) / values.length));
  document.title = (state === "ok" ? "" : "⚠ ") + degrees(now);
  at("chart").setAttribute("aria-label", `Temperature: from ${degrees(lowest)} to ${degrees(highest)}, now ${degrees(now)}`);
  chart.draw();
}

function alarm(limits) {
  state = limits.state;
  at("state").className = state;
  show("state", STATES[state]);
  data.limits = [limits.low, limits.high];
  for (const id of ["low", "high"]) {
    if (document.activeElement !== at(id)) at(id).value = limits[id];  // never under the user's fingers
  }
  render();
}

document.querySelector("form").onsubmit = async (event) => {
  event.preventDefault();
  const body = JSON.stringify({ low: at("low").valueAsNumber, high: at("high").valueAsNumber });
  try {
    const reply = await fetch("limits", { method: "PUT", headers: { "Content-Type": "application/json" }, body });
    const said = await reply.json();
    show("reply", said.error ? `Not set: ${said.error}.` : `Alarm below ${said.low} °C and above ${said.high} °C.`);
  } catch {
    show("reply", "Not set: the board does not answer.");
  }
};

connect();
