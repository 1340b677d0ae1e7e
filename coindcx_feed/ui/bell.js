// Tells of new notices: toast, badge, notification, sound. Text goes in as text: no markup is parsed in this file.

const CHOSEN = "coindcx-alert-choices";
const SEEN = "coindcx-alert-seen";
const TOAST_MS = 7000;
const CRITICAL_MS = 20000;
const MOST = 4;
const DEAF = "this browser has none";
let audio = null;
let plainIcon = null;

export default function (component) {
  const { data, parentElement } = component;
  if (data.role === "choices") {
    drawChoices(child(parentElement, "choices"));
    return undefined;
  }
  const toasts = child(parentElement, "toasts");
  toasts.setAttribute("role", "status");
  badge(data.unread);
  tell(toasts, data);
  return () => badge(0);
}

function child(parent, name) {
  let element = [...parent.children].find((each) => each.classList.contains(name));
  if (!element) {
    element = document.createElement("div");
    element.className = name;
    parent.appendChild(element);
  }
  return element;
}

// What was there when the window was opened is no news; what came since is told once, on whatever page.
function tell(toasts, data) {
  const seen = read(sessionStorage, SEEN);
  const last = seen && seen.series === data.series ? seen.number : data.newest;
  write(sessionStorage, SEEN, { series: data.series, number: data.newest });
  const chosen = read(localStorage, CHOSEN) || {};
  for (const notice of data.notices) {
    if (notice.number <= last) continue;
    if (notice.ways.includes("toast")) toast(toasts, notice);
    if (notice.ways.includes("browser") && chosen.browser) notify(data.series, notice);
    if (notice.ways.includes("sound") && chosen.sound && claim(data.series, notice.number)) sound(notice.severity);
  }
}

function toast(toasts, notice) {
  const box = document.createElement("div");
  box.className = ["warning", "critical"].includes(notice.severity) ? `toast ${notice.severity}` : "toast";
  for (const part of ["title", "text"]) {
    const line = document.createElement("div");
    line.className = part;
    line.textContent = notice[part];
    box.appendChild(line);
  }
  toasts.appendChild(box);
  while (toasts.children.length > MOST) toasts.firstChild.remove();
  setTimeout(() => box.remove(), notice.severity === "critical" ? CRITICAL_MS : TOAST_MS);
}

function notify(series, notice) {
  if (typeof Notification === "undefined" || Notification.permission !== "granted") return;
  // One tag per notice: several windows of one browser show it once.
  new Notification(notice.title, { body: notice.text, tag: `coindcx-${series}-${notice.number}` });
}

// Several windows hear of one notice: the first one makes the sound.
function claim(series, number) {
  const known = read(localStorage, `${SEEN}-sound`);
  if (known && known.series === series && known.number >= number) return false;
  write(localStorage, `${SEEN}-sound`, { series, number });
  return true;
}

function sound(severity) {
  const Context = window.AudioContext || window.webkitAudioContext;
  if (!Context) return;
  audio = audio || new Context();
  audio.resume().catch(() => {});
  const tones = severity === "critical" ? [880, 660, 880, 660] : [660, 880];
  tones.forEach((pitch, place) => {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const from = audio.currentTime + place * 0.18;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, from);
    volume.gain.exponentialRampToValueAtTime(0.2, from + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, from + 0.16);
    tone.connect(volume).connect(audio.destination);
    tone.start(from);
    tone.stop(from + 0.17);
  });
}

function drawChoices(root) {
  const chosen = read(localStorage, CHOSEN) || {};
  const has = { browser: typeof Notification !== "undefined", sound: Boolean(window.AudioContext || window.webkitAudioContext) };
  const names = { browser: "Notifications of the browser", sound: "Sound" };
  const buttons = Object.keys(names).map((name) => {
    const isOn = Boolean(chosen[name]) && has[name] && (name !== "browser" || Notification.permission === "granted");
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.choice = name;
    button.disabled = !has[name];
    button.setAttribute("aria-pressed", String(isOn));
    button.textContent = `${isOn ? "●" : "○"} ${names[name]}: ${has[name] ? (isOn ? "on" : "off") : DEAF}`;
    button.onclick = () => choose(root, name, !isOn);
    return button;
  });
  const hint = document.createElement("span");
  hint.className = "hint";
  hint.textContent = hintOf(chosen, has);
  root.replaceChildren(...buttons, hint);
}

function hintOf(chosen, has) {
  if (has.browser && Notification.permission === "denied") {
    return "This browser was told to block notifications from here: allow them in its settings of this address.";
  }
  if (chosen.sound) return "After loading, a browser keeps silent until the first click.";
  return "Chosen per browser; a hidden window may be told up to a minute late.";
}

async function choose(root, name, wanted) {
  const chosen = read(localStorage, CHOSEN) || {};
  chosen[name] = wanted;
  if (wanted && name === "browser") chosen.browser = (await Notification.requestPermission()) === "granted";
  write(localStorage, CHOSEN, chosen);
  if (wanted && name === "sound") sound("info");
  drawChoices(root);
}

// The badge of the tab: a dot on the icon of the window, and a figure beside the link of the navigation.
function badge(unread) {
  const link = [...document.querySelectorAll("[data-testid=stTopNavLink]")].find((each) =>
    (each.getAttribute("href") || "").split("?")[0].endsWith("/alerts"),
  );
  if (link) {
    if (unread) link.dataset.unread = unread > 99 ? "99+" : String(unread);
    else delete link.dataset.unread;
  }
  style();
  const icon = document.querySelector("link[rel~=icon]");
  if (!icon) return;
  const marked = badged();
  if (icon.href !== marked) plainIcon = icon.href;
  const wanted = unread ? marked : plainIcon;
  if (wanted && icon.href !== wanted) icon.href = wanted;
}

function badged() {
  const line = '<path d="M5 20h5l4-11 5 15 3-8h5" fill="none" stroke="#45C496" stroke-width="3" stroke-linejoin="round"/>';
  const plate = '<rect width="32" height="32" rx="6" fill="#171D25"/>';
  const dot = '<circle cx="24" cy="8" r="8" fill="#FF7B72"/>';
  return `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${plate}${line}${dot}</svg>`)}`;
}

function style() {
  if (document.getElementById("coindcx-bell")) return;
  const sheet = document.createElement("style");
  sheet.id = "coindcx-bell";
  sheet.textContent =
    "[data-testid=stTopNavLink][data-unread]::after{content:attr(data-unread) / '';margin-left:.4em;padding:0 .4em;border-radius:999px;" +
    "font-size:.72em;font-weight:700;line-height:1.5;color:#0E1217;background:#FF7B72}";
  document.head.appendChild(sheet);
}

function read(storage, key) {
  try {
    return JSON.parse(storage.getItem(key) || "null");
  } catch {
    return null;
  }
}

function write(storage, key, value) {
  try {
    storage.setItem(key, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing forgets the choice with the window.
  }
}
