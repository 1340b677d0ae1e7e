// One Plotly chart per instance, updated in place by Plotly.react; zoom and pan are kept while data moves.

const instances = new WeakMap();
let library = null;
// Lakh and crore: the last three digits, then twos.
const INDIAN = { locale: "lakh", locales: { lakh: { format: { grouping: [3, 2, 2, 2, 2, 2] } } } };

export default function (component) {
  const { data, parentElement } = component;
  let instance = instances.get(parentElement);
  if (!instance) {
    instance = { box: parentElement.querySelector(".chart"), drawn: null, width: 0, latest: null, gone: false, view: null, ranges: {}, drawing: Promise.resolve() };
    instances.set(parentElement, instance);
    instance.observer = new ResizeObserver(() => resize(instance));
    instance.observer.observe(instance.box);
  }
  instance.latest = data;
  draw(instance);
  return () => {
    instance.observer.disconnect();
    instance.gone = true;
    // A drawing under way ends first: its later steps would find nothing of the chart.
    instance.drawing.finally(() => window.Plotly && window.Plotly.purge(instance.box));
    instances.delete(parentElement);
  };
}

async function draw(instance) {
  const { box, latest } = instance;
  if (latest.revision === instance.drawn && box.clientWidth === instance.width) return;
  box.style.height = `${latest.height}px`;
  setLabel(box, latest.alt);
  try {
    await load(latest.src);
  } catch {
    box.textContent = "The chart library did not load from this server. Reload the page; the figures elsewhere are not affected.";
    return;
  }
  // While the library was loading newer data may have come.
  const data = instance.latest;
  const width = box.clientWidth;
  if (instance.gone || !width || (data.revision === instance.drawn && width === instance.width)) return;
  instance.drawn = data.revision;
  instance.width = width;
  const isNew = !box.on;
  instance.drawing = window.Plotly.react(box, data.traces, withFont(kept(instance, { ...data.layout, width }), box), {
    displayModeBar: false,
    responsive: false,
    scrollZoom: false,
    doubleClick: false,
    showTips: false,
    ...(data.grouping === "indian" ? INDIAN : {}),
  });
  await instance.drawing;
  if (isNew) listen(instance);
}

// uirevision alone gives way as soon as the range that we pass moves with the data: what the reader chose is kept here.
function kept(instance, layout) {
  if (instance.view !== layout.uirevision) instance.ranges = {};
  instance.view = layout.uirevision;
  for (const [axis, range] of Object.entries(instance.ranges)) {
    if (layout[axis]) layout[axis] = { ...layout[axis], range: [...range] };
  }
  return layout;
}

function listen(instance) {
  instance.box.on("plotly_relayout", (change) => {
    for (const [name, value] of Object.entries(change)) {
      const found = /^([xy]axis\d*)\.range\[([01])\]$/.exec(name);
      if (!found) continue;
      const range = instance.ranges[found[1]] || [...instance.box._fullLayout[found[1]].range];
      range[Number(found[2])] = value;
      instance.ranges[found[1]] = range;
    }
  });
  instance.box.on("plotly_doubleclick", () => {
    instance.ranges = {};
    instance.drawn = null;
    draw(instance);
  });
}

function withFont(layout, box) {
  const font = getComputedStyle(box).fontFamily;
  return { ...layout, font: { ...layout.font, family: font }, hoverlabel: { ...layout.hoverlabel, font: { family: font, size: 12 } } };
}

function setLabel(box, text) {
  box.setAttribute("role", "img");
  if (box.getAttribute("aria-label") !== text) box.setAttribute("aria-label", text);
}

function resize(instance) {
  // Drawn anew at the new width; Plotly's own resizing waits and would come after the chart is gone.
  if (instance.latest && instance.drawn !== null) draw(instance);
}

function load(src) {
  if (window.Plotly) return Promise.resolve();
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = src;
    script.onload = resolve;
    script.onerror = () => {
      library = null;
      script.remove();
      reject(new Error("chart library"));
    };
    document.head.appendChild(script);
  });
  return library;
}
