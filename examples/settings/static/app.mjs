// The page: it asks for the password, shows the device's state and settings, and brings it a new application.

const AGAIN = 1500;  // milliseconds between questions while the device restarts
const PATIENCE = 300000;  // milliseconds until it should be back and confirmed

const at = (id) => document.getElementById(id);
let networks = [];

// Resolves to the answer's JSON; throws an Error with the device's own words, and `status`, 0 when nobody answered.
async function ask(method, path, message) {
  const headers = message === undefined ? {} : { "Content-Type": "application/json" };
  let response;
  try {
    response = await fetch(path, { method, headers, body: message === undefined ? undefined : JSON.stringify(message) });
  } catch {
    throw Object.assign(new Error("The device does not answer."), { status: 0 });
  }
  const told = await response.json().catch(() => ({}));
  if (!response.ok) throw Object.assign(new Error(told.error || `Status ${response.status}.`), { status: response.status, told });
  return told;
}

function say(text, error = "") {
  at("said").textContent = text;
  at("error").textContent = error;
}

function show(inside) {
  at("inside").hidden = at("leave").hidden = !inside;
  at("enter").hidden = inside;
}

async function refresh() {
  try {
    take(await ask("GET", "status"));
    show(true);
    return true;
  } catch (error) {
    if (error.status === 401) {
      show(false);
      at("first").hidden = error.told.chosen;
      at("password").autocomplete = error.told.chosen ? "current-password" : "new-password";
      at("password").focus();
    } else {
      say("", error.message);
    }
    return false;
  }
}

function take(state) {
  const { device, settings } = state;
  const lines = {
    Application: state.app ? `${state.app} ${state.build.slice(0, 8)}` : "not deployed",
    Update: state.trial ? "on trial" : "confirmed",
    "Running for": duration(device.uptime),
    "Memory free": device.heap === undefined ? "plenty" : `${Math.round(device.heap / 1024)} KiB`,
    "Flash free": `${Math.round((state.free * state.block) / 1024)} KiB`,
    Firmware: device.version,
    Board: device.machine,
  };
  if (!state.app) delete lines.Update;
  at("status").replaceChildren(...Object.entries(lines).flatMap(([name, value]) => [made("dt", name), made("dd", value)]));
  takeSettings(settings);
}

function takeSettings(settings) {
  at("title").textContent = document.title = settings.hostname || "Device settings";
  at("hostname").value = settings.hostname;
  at("country").value = settings.country;
  networks = settings.networks;
  showNetworks();
}

function showNetworks() {
  at("networks").replaceChildren(...networks.map((network) => {
    const row = made("li", "");
    const button = made("button", "Remove");
    button.type = "button";
    button.className = "plain";
    button.ariaLabel = `Remove ${network.ssid}`;
    button.onclick = () => save(networks.filter((other) => other !== network));
    row.append(made("span", network.ssid + (network.secret ? "" : " (open)")), button);
    return row;
  }));
}

function made(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}

function duration(seconds) {
  const parts = [[86400, "d"], [3600, "h"], [60, "min"]].map(([size, unit]) => [Math.floor(seconds / size), unit]);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${parts[2][0]} min`;
  return seconds < 86400 ? `${parts[1][0]} h ${parts[2][0] % 60} min` : `${parts[0][0]} d ${parts[1][0] % 24} h`;
}

async function save(list) {
  const wanted = list.map(({ ssid, password }) => (password === undefined ? { ssid } : { ssid, password }));
  try {
    takeSettings(await ask("PUT", "settings", { hostname: at("hostname").value, country: at("country").value, networks: wanted }));
    say("Saved.");
    return true;
  } catch (error) {
    say("", error.message);
    return false;
  }
}

// Runs with the form's button out of reach.
const on = (id, act) => {
  at(id).onsubmit = async (event) => {
    event.preventDefault();
    const button = at(id).querySelector("button:not(.plain)");
    button.disabled = true;
    try {
      await act();
    } finally {
      button.disabled = false;
    }
  };
};

on("enter", async () => {
  try {
    await ask("POST", "login", { password: at("password").value });
    at("password").value = "";
    say("");
    await refresh();
  } catch (error) {
    say("", error.message);
  }
});

on("settings", async () => {
  const ssid = at("ssid").value;
  const others = networks.filter((network) => network.ssid !== ssid);
  if (await save(ssid ? [{ ssid, password: at("key").value }, ...others] : networks)) at("ssid").value = at("key").value = "";
});

on("update", async () => {
  say("Sending …");
  at("progress").hidden = false;
  try {
    const { build } = await upload(at("bundle").files[0]);
    say("Installed. The device restarts and tries it …");
    at("update").reset();
    await outcome(build);
  } catch (error) {
    say("", error.message);
  } finally {
    at("progress").hidden = true;
  }
});

on("change", async () => {
  try {
    await ask("PUT", "password", { password: at("present").value, new: at("new").value });
    at("change").reset();
    say("The password is changed.");
  } catch (error) {
    say("", error.message);
  }
});

// fetch does not tell how much has been sent.
function upload(file) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("POST", "update");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => { at("progress").value = loaded / total; };
    request.onload = () => {
      if (request.status === 200) done(request.response);
      else failed(new Error(request.response?.error || `Status ${request.status}.`));
    };
    request.onerror = () => failed(new Error("The device hung up."));
    request.send(file);
  });
}

async function outcome(build) {
  for (const end = Date.now() + PATIENCE; Date.now() < end;) {
    await new Promise((done) => setTimeout(done, AGAIN));
    const state = await ask("GET", "status").catch((error) => error);
    if (state.status === 401) {
      say("The device is back.");
      return refresh();
    }
    if (state.build === undefined || (state.build === build && state.trial)) continue;
    take(state);
    if (state.build === build) return say("The new application is confirmed.");
    return say("", "The new application did not start well: the one before is back.");
  }
  throw new Error("The device is not back. Switch it off and on; after three starts it takes the update back.");
}

at("restart").onclick = async () => {
  await ask("POST", "restart").catch((error) => say("", error.message));
  say("Restarting …");
  setTimeout(async function again() {
    if (await ask("GET", "status").then(() => true, (error) => error.status === 401)) {
      say("The device is back.");
      refresh();
    } else {
      setTimeout(again, AGAIN);
    }
  }, 2 * AGAIN);
};

at("leave").onclick = async () => {
  await ask("POST", "logout").catch(() => {});
  say("Logged out.");
  refresh();
};

refresh();
