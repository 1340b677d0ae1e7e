// Keeps one short text of its reader in this browser, and says once per visit what is kept. It draws nothing.

const asked = new WeakSet();
const written = new Map();

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const slot = `coindcx-feed-${data.name}`;
  if (data.write && written.get(slot) !== data.write.id) {
    written.set(slot, data.write.id);
    write(slot, data.write.text);
  }
  if (asked.has(parentElement)) return;
  asked.add(parentElement);
  const text = read(slot);
  if (data.is_wanted && text) setStateValue("text", text);
}

function read(slot) {
  try {
    return localStorage.getItem(slot);
  } catch {
    return null;
  }
}

function write(slot, text) {
  try {
    if (text) localStorage.setItem(slot, text);
    else localStorage.removeItem(slot);
  } catch {
    // A browser that stores nothing forgets the choice with the tab.
  }
}
