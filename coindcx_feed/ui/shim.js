// What stands in every message of a component: the rest is one file that the browser keeps.
const { css, default: draw } = await import(new URL("PATH", document.baseURI).href);
const sheet = new CSSStyleSheet();
sheet.replaceSync(css);

export default (component) => {
  const parent = component.parentElement;
  const root = parent.getRootNode();
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  const end = draw({ ...component, data: JSON.parse(new TextDecoder().decode(component.data)) });
  // An end may be told late, when the place is in use again.
  return () => setTimeout(() => end && !parent.isConnected && end());
};
