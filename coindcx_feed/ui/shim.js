// What stands in every message of a component: the rest is one file that the browser keeps.
const { css, default: draw } = await import(new URL("PATH", document.baseURI).href);
const sheet = new CSSStyleSheet();
sheet.replaceSync(css);

export default (component) => {
  const root = component.parentElement.getRootNode();
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  return draw(component);
};
