// Keeps in this browser what its reader has seen, and shows what came after. Only epoch and number are stored.

const STORED = "coindcx-feed-seen";
const LONG_HIDDEN_MS = 60_000;
const instances = new WeakMap();

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  let instance = instances.get(parentElement);
  if (!instance) {
    instance = { box: parentElement.querySelector(".since"), hiddenAt: 0, dismissed: null };
    instances.set(parentElement, instance);
    instance.watch = () => woke(instance);
    document.addEventListener("visibilitychange", instance.watch);
  }
  instance.send = setStateValue;
  instance.data = data;
  if (data.mark === null) setStateValue("mark", read());
  else if (data.is_first) write(data.newest);
  draw(instance);
  return () => {
    document.removeEventListener("visibilitychange", instance.watch);
    instances.delete(parentElement);
    lift(null);
  };
}

function read() {
  try {
    return localStorage.getItem(STORED) || "none";
  } catch {
    return "none";
  }
}

function write(text) {
  try {
    localStorage.setItem(STORED, text);
  } catch {
    // A browser that stores nothing sees no difference: every visit is its first one.
  }
}

// A tab that was away for long has looked away, too.
function woke(instance) {
  if (document.hidden) instance.hiddenAt = Date.now();
  else if (instance.hiddenAt && Date.now() - instance.hiddenAt > LONG_HIDDEN_MS) instance.send("woke", Date.now());
}

// Toasts stand at the same corner: they are lifted over the box, whose buttons stay in sight.
function lift(box) {
  const height = box && !box.hidden ? `${box.offsetHeight + 8}px` : "0px";
  document.documentElement.style.setProperty("--coindcx-since", height);
}

function draw(instance) {
  const { box, data } = instance;
  const lines = instance.dismissed === data.newest ? null : data.lines;
  box.hidden = !lines;
  if (!lines) {
    box.replaceChildren();
    instance.drawn = null;
    lift(null);
    return;
  }
  const drawn = JSON.stringify([data.title, lines]);
  if (instance.drawn === drawn) return;
  instance.drawn = drawn;
  box.setAttribute("aria-label", "Since you last looked");
  box.replaceChildren(head(data), list(lines), buttons(instance));
  lift(box);
}

function head(data) {
  const line = make("div", "head");
  line.append(make("h3", "", "Since you last looked"), make("span", "muted", data.title));
  return line;
}

function list(lines) {
  const table = make("dl");
  for (const [name, text] of lines) table.append(make("dt", "muted", name), make("dd", "", text));
  return table;
}

function buttons(instance) {
  const line = make("div", "buttons");
  const seen = make("button", "main", "Mark as seen");
  const later = make("button", "", "Later");
  seen.onclick = () => {
    instance.dismissed = instance.data.newest;
    write(instance.data.newest);
    draw(instance);
    instance.send("mark", instance.data.newest);
  };
  later.onclick = () => {
    instance.dismissed = instance.data.newest;
    draw(instance);
  };
  for (const button of [seen, later]) button.type = "button";
  line.append(seen, later);
  return line;
}

function make(tag, cls = "", text = null) {
  const element = document.createElement(tag);
  if (cls) element.className = cls;
  if (text !== null) element.textContent = text;
  return element;
}
