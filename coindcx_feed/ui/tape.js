// The live tape: cards come over a WebSocket of its own and are painted with the next frame. dom.js stands before this
// text. Nothing from the feed is parsed as markup.

const SILENT_MS = 10_000; // the server says something every four seconds
const BACK_OFF_MS = [200, 500, 1_000, 2_000, 4_000, 8_000];
const TICK_MS = 200;
const LEFT_MS = 15_000; // so long the line above the cards tells of events that were left out
const RENEW = 4000;
const CALM_MS = 300; // cards that follow each other faster are not announced by motion: it would never end
const tapes = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  let tape = tapes.get(parentElement);
  if (!tape) {
    tape = begin(parentElement);
    tapes.set(parentElement, tape);
  }
  tape.ask = () => setTriggerValue("ask", Date.now());
  tape.send = (seq) => {
    tape.chosen = seq;
    mark(tape);
    setTriggerValue("pressed", seq);
  };
  take(tape, data);
  return () => {
    end(tape);
    tapes.delete(parentElement);
  };
}

function begin(parent) {
  const root = parent.appendChild(document.createElement("div"));
  root.className = "nodes tape";
  const head = root.appendChild(document.createElement("div"));
  const line = head.appendChild(document.createElement("div"));
  const more = head.appendChild(document.createElement("div"));
  const note = head.appendChild(document.createElement("div"));
  const list = root.appendChild(document.createElement("div"));
  head.className = "tape-head small";
  line.setAttribute("role", "status");
  more.className = "muted tape-more";
  note.className = "muted";
  list.className = "tape-list";
  list.tabIndex = 0;
  list.setAttribute("role", "log");
  // Read aloud, 20 cards a second would be noise; the line above tells the state.
  list.setAttribute("aria-live", "off");
  list.setAttribute("aria-label", "Live tape of account events, newest first");
  const tape = { root, line, more, note, list, view: null, socket: null, ticket: null, seen: null, tries: 0, retry: 0, frame: 0 };
  tape.awayAt = Date.now();
  tape.isFirst = true;
  clear(tape);
  tape.timer = setInterval(() => tick(tape), TICK_MS);
  return tape;
}

function clear(tape) {
  tape.seq = null;
  tape.epoch = "";
  tape.pending = [];
  tape.marks = [];
  tape.waiting = 0;
  tape.left = null;
  tape.list.textContent = "";
}

function end(tape) {
  clearInterval(tape.timer);
  clearTimeout(tape.retry);
  cancelAnimationFrame(tape.frame);
  leave(tape);
}

function leave(tape) {
  const socket = tape.socket;
  tape.socket = null;
  if (socket) socket.close();
}

// What the script says: the view, a ticket, whether the page is paused, what is chosen.
function take(tape, data) {
  if (data.view !== tape.view) {
    leave(tape);
    clear(tape);
    tape.view = data.view;
    tape.tries = 0;
  }
  tape.data = data;
  if (data.ticket !== tape.seen) {
    tape.seen = data.ticket;
    tape.ticket = data.ticket;
    tape.ticketAt = Date.now();
  }
  tape.chosen = data.chosen;
  const goesOn = tape.isPaused && !data.is_paused;
  tape.isPaused = data.is_paused;
  if (!tape.socket) connect(tape);
  if (goesOn) schedule(tape);
  mark(tape);
  tick(tape);
}

function connect(tape) {
  clearTimeout(tape.retry);
  const { path, protocol, spare_s: spare } = tape.data;
  const ticket = tape.ticket;
  tape.ticket = null;
  if (ticket === null || Date.now() - tape.ticketAt > spare * 1000) {
    tape.ask();
    again(tape);
    return;
  }
  const address = new URL(path, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  if (tape.seq !== null) {
    address.searchParams.set("since", tape.seq);
    address.searchParams.set("epoch", tape.epoch);
  }
  const socket = new WebSocket(address, [protocol, ticket]);
  tape.socket = socket;
  tape.heardAt = Date.now();
  socket.onmessage = (message) => {
    if (tape.socket === socket) hear(tape, JSON.parse(message.data));
  };
  socket.onclose = (event) => {
    if (tape.socket === socket) lose(tape, event.code === RENEW);
  };
}

function lose(tape, isExpected) {
  tape.socket = null;
  if (isExpected) connect(tape);
  else {
    tape.awayAt ??= Date.now();
    again(tape);
  }
}

function again(tape) {
  clearTimeout(tape.retry);
  const wait = BACK_OFF_MS[Math.min(tape.tries, BACK_OFF_MS.length - 1)] * (0.75 + Math.random() / 2);
  tape.tries += 1;
  tape.retry = setTimeout(() => {
    if (!tape.socket) connect(tape);
  }, wait);
}

function hear(tape, message) {
  tape.heardAt = Date.now();
  tape.tries = 0;
  tape.awayAt = null;
  tape.isFirst = false;
  if (message.anew) {
    clear(tape);
    tape.anew = true;
  }
  const cards = message.cards.filter((card) => tape.seq === null || card.key > tape.seq);
  const left = message.left_out + message.lost;
  if (left) tape.marks.unshift({ before: cards.length ? cards[cards.length - 1].key - 0.5 : message.seq + 0.5, left, lost: message.lost });
  tape.pending = cards.concat(tape.pending);
  if (!message.anew) tape.waiting += cards.length + message.left_out;
  tape.seq = message.seq;
  tape.epoch = message.epoch;
  bound(tape);
  // A picture that replaces another one ends where the page was paused: it is painted also then.
  if (!tape.isPaused || tape.anew) schedule(tape);
}

// A hidden or paused page takes no frame: what waits is bounded like what is shown.
function bound(tape) {
  const most = tape.data.most;
  if (tape.pending.length <= most) return;
  const dropped = tape.pending.length - most;
  tape.pending.length = most;
  const oldest = tape.pending[most - 1].key;
  const known = tape.marks.filter((mark) => mark.before < oldest);
  const left = known.reduce((sum, mark) => sum + mark.left, dropped);
  const lost = known.reduce((sum, mark) => sum + mark.lost, 0);
  tape.marks = tape.marks.filter((mark) => mark.before > oldest).concat([{ before: oldest - 0.5, left, lost }]);
}

function schedule(tape) {
  if (!tape.frame) tape.frame = requestAnimationFrame(() => paint(tape));
}

function paint(tape) {
  tape.frame = 0;
  const { pending, marks, list } = tape;
  tape.pending = [];
  tape.marks = [];
  tape.waiting = 0;
  const isCalm = Date.now() - (tape.paintedAt || 0) > CALM_MS && !tape.anew;
  tape.paintedAt = Date.now();
  tape.anew = false;
  const shown = [];
  let place = 0;
  for (const card of pending) {
    for (; place < marks.length && marks[place].before > card.key; place += 1) shown.push(markNode(marks[place]));
    shown.push(isCalm ? { ...card, class: `${card.class} fresh` } : card);
  }
  for (; place < marks.length; place += 1) shown.push(markNode(marks[place]));
  if (shown.length) list.querySelector(".tape-empty")?.remove();
  const first = list.firstChild;
  for (const node of shown) {
    const element = create(node);
    patch(element, node, tape);
    list.insertBefore(element, first);
  }
  let extra = list.querySelectorAll(".tape-card").length - tape.data.most;
  // A mark below the last card stays: it says what is missing there.
  for (; extra > 0; list.removeChild(list.lastChild)) extra -= list.lastChild.matches(".tape-card") ? 1 : 0;
  if (marks.length) tape.left = { events: marks.reduce((sum, { left }) => sum + left, 0), at: Date.now() };
  mark(tape);
  tick(tape);
}

function events(count) {
  return `${count.toLocaleString("en-US")} ${count === 1 ? "event" : "events"}`;
}

function markNode({ before, left, lost }) {
  const text = lost
    ? `${events(left)} left out here: ${events(lost)} are no longer in memory`
    : `${events(left)} left out here: more came at once than the tape shows; the table has them`;
  return { tag: "div", class: "tape-mark", text, key: `left-${before}` };
}

function mark(tape) {
  for (const element of tape.list.querySelectorAll(".tape-card")) {
    const isChosen = element.dataset.key === String(tape.chosen);
    if (element.getAttribute("aria-pressed") !== String(isChosen)) element.setAttribute("aria-pressed", String(isChosen));
  }
}

function tick(tape) {
  if (tape.socket && Date.now() - tape.heardAt > SILENT_MS) {
    // A server that stands still does not close its sockets.
    tape.awayAt ??= tape.heardAt;
    leave(tape);
    again(tape);
  }
  const [word, color, more] = state(tape);
  write(tape.line, word);
  tape.line.className = `strong ${color}`;
  write(tape.more, more);
  const count = tape.list.querySelectorAll(".tape-card").length;
  write(tape.note, count ? `newest on top · at most ${tape.data.most} cards` : "");
  if (!tape.data || count || tape.list.querySelector(".tape-mark")) return;
  patchChildren(tape.list, [{ tag: "div", class: "tape-empty", children: [tape.data.empty], key: "empty" }], tape);
}

// Word, colour and the rest: only the word is read aloud, because the rest ticks.
function state(tape) {
  const away = tape.awayAt === null ? null : Date.now() - tape.awayAt;
  const waiting = tape.isPaused ? `${tape.waiting.toLocaleString("en-US")} waiting` : "";
  if (away !== null && tape.isFirst && away < 2_000) return ["◌ Connecting", "gray", ""];
  if (away !== null) {
    const rest = `for ${duration(away / 1000)} · what you see is from before · trying again`;
    return ["⚠ No connection", "orange", [rest, waiting].filter(Boolean).join(" · ")];
  }
  if (tape.isPaused) return ["‖ Paused", "yellow", `${waiting} · nothing is lost`];
  const { left } = tape;
  if (left && Date.now() - left.at < LEFT_MS) {
    return ["● Live", "green", `${events(left.events)} left out ${duration((Date.now() - left.at) / 1000)} ago`];
  }
  return ["● Live", "green", "each event as it arrives"];
}
