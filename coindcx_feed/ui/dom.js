// Builds and patches DOM from plain nodes, for every component that is put together with this file. Text goes in as text:
// no markup is parsed anywhere here.

const TAGS = new Set(["div", "span", "p", "h3", "button", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"]);
const ROLES = new Set(["status", "img", "group"]);
const CLASS = /^[a-z0-9 _-]*$/;

function patchChildren(parent, nodes, instance) {
  const allowed = nodes.filter((node) => TAGS.has(node.tag));
  allowed.forEach((node, index) => {
    let element = parent.childNodes[index];
    if (!matches(element, node)) {
      // A keyed node that only moved is moved, so that focus and pointer stay with it.
      const moved = node.key && [...parent.childNodes].slice(index).find((other) => matches(other, node));
      const fresh = moved || create(node);
      parent.insertBefore(fresh, element || null);
      element = fresh;
    }
    patch(element, node, instance);
  });
  while (parent.childNodes.length > allowed.length) parent.removeChild(parent.lastChild);
}

function matches(element, node) {
  return (
    element instanceof Element && element.localName === node.tag && (element.dataset.key || "") === String(node.key || "")
  );
}

function create(node) {
  const element = document.createElement(node.tag);
  if (node.key) element.dataset.key = String(node.key);
  return element;
}

function patch(element, node, instance) {
  setAttribute(element, "class", CLASS.test(node.class || "") ? node.class : null);
  setAttribute(element, "title", node.title);
  setAttribute(element, "aria-label", node.label);
  setAttribute(element, "aria-pressed", node.pressed === undefined ? null : String(Boolean(node.pressed)));
  setAttribute(element, "role", ROLES.has(node.role) ? node.role : null);
  setAttribute(element, "tabindex", node.scrolls ? "0" : null);
  setAttribute(element, "colspan", Number.isInteger(node.span) ? String(node.span) : null);
  element.style.left = percent(node.left);
  element.style.width = percent(node.width);
  element._age = node.since !== undefined || node.until !== undefined ? node : null;
  setAttribute(element, "data-age", element._age ? "1" : null);
  if (node.tag === "button") {
    element.type = "button";
    element.onclick = () => act(element, node, instance);
  }
  if (element._age) return;
  if (node.points) {
    plot(element, node.points);
  } else if (node.children) {
    if (element._text !== undefined) {
      element.textContent = "";
      element._text = undefined;
    }
    patchChildren(element, node.children, instance);
  } else {
    write(element, node.text === undefined ? "" : String(node.text));
  }
}

// A line over 100 by 100; null breaks it. Only numbers get in, and the colour is the element's own.
function plot(element, points) {
  const drawn = JSON.stringify(points);
  if (element._text === drawn && element.firstElementChild) return;
  const pieces = [[]];
  for (const point of points) {
    if (point === null) pieces.push([]);
    else pieces[pieces.length - 1].push(`${Number(point[0])},${Number(point[1])}`);
  }
  const name = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(name, "svg");
  svg.setAttribute("viewBox", "0 0 100 100");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  for (const piece of pieces.filter((found) => found.length > 1)) {
    const line = document.createElementNS(name, "polyline");
    line.setAttribute("points", piece.join(" "));
    svg.appendChild(line);
  }
  element.replaceChildren(svg);
  element._text = drawn;
}

function write(element, text) {
  if (element._text === text) return;
  element.textContent = text;
  element._text = text;
}

function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === "") element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
}

function percent(value) {
  return Number.isFinite(value) ? `${Math.min(100, Math.max(0, value))}%` : "";
}

async function act(element, node, instance) {
  if (node.select !== undefined) instance.send(node.select);
  if (node.copy === undefined) return;
  const done = await copyText(String(node.copy));
  element.textContent = done ? "copied" : "copy failed: select the text instead";
  element._text = undefined;
  setTimeout(() => write(element, node.text || ""), 1500);
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function tickAges(root, skew) {
  const now = Date.now() - skew;
  for (const element of root.querySelectorAll("[data-age]")) {
    const { since, until, warn_s: warn, ago } = element._age;
    const seconds = (until === undefined ? now - since : until - now) / 1000;
    write(element, duration(seconds) + (ago ? " ago" : ""));
    element.classList.toggle("warn", warn !== undefined && seconds > warn);
  }
}

// Keep in step with duration() in format.py.
function duration(seconds) {
  const s = Math.max(seconds, 0);
  if (s < 9.95) return `${s.toFixed(1)} s`;
  const whole = Math.floor(s + 0.5);
  if (whole < 60) return `${whole} s`;
  const two = (n) => String(n).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} m`;
  return `${Math.floor(whole / 86400)} d ${two(Math.floor((whole % 86400) / 3600))} h`;
}
