// "/" puts the cursor into the search, Esc leaves it. It draws nothing.

export default function (component) {
  const { data } = component;
  const pressed = (event) => {
    const search = document.querySelector(`.st-key-${CSS.escape(data.search)} input`);
    if (!search || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "/" && !isTyping(event)) {
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === "Escape" && document.activeElement === search) {
      // By itself a search field would forget what was typed.
      event.preventDefault();
      search.blur();
    }
  };
  document.addEventListener("keydown", pressed, true);
  return () => document.removeEventListener("keydown", pressed, true);
}

// Fields inside our own components are behind shadow roots: the path names them, the target does not.
function isTyping(event) {
  const [field] = event.composedPath();
  return field instanceof HTMLElement && (field.isContentEditable || /^(input|textarea|select)$/.test(field.localName));
}
