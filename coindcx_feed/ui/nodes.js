// One place on a page that shows nodes; dom.js stands before this text.

const TICK_MS = 200;
const instances = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = rootOf(parentElement);
  let instance = instances.get(parentElement);
  if (!instance) {
    instance = { timer: 0 };
    instances.set(parentElement, instance);
  }
  // A trigger, not a state: the same choice a second time is a choice, too.
  instance.send = (value) => setTriggerValue("selected", value);
  instance.limit = data.limit_s;
  instance.arrived = Date.now();
  // The smallest difference ever seen is the one with the least delay on the way.
  const skew = data.now_ms == null ? 0 : Date.now() - data.now_ms;
  instance.skew = instance.skew === undefined ? skew : Math.min(instance.skew, skew);
  patchChildren(root, data.nodes || [], instance);
  if (data.title && document.title !== data.title) document.title = data.title;
  tick(root, instance);
  if (!instance.timer) instance.timer = setInterval(() => tick(root, instance), TICK_MS);
  return () => {
    clearInterval(instance.timer);
    instances.delete(parentElement);
  };
}

function rootOf(parent) {
  let root = parent.querySelector(":scope > .nodes") || [...parent.children].find((e) => e.classList.contains("nodes"));
  if (!root) {
    root = document.createElement("div");
    root.className = "nodes";
    parent.appendChild(root);
  }
  return root;
}

function tick(root, instance) {
  tickAges(root, instance.skew);
  if (instance.limit) {
    const silent = (Date.now() - instance.arrived) / 1000;
    root.classList.toggle("frozen", silent > instance.limit);
    if (silent > instance.limit) root.dataset.frozen = `page not updated for ${duration(silent)}`;
  }
}
