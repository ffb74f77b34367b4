/** Small helps with elements. */

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return /** @type {T} */ (element);
}

/**
 * A dialog that a press beside its content closes.
 *
 * @param {string} id
 * @returns {HTMLDialogElement}
 */
export function dialogById(id) {
  const dialog = /** @type {HTMLDialogElement} */ (byId(id));
  // A click on the dialog itself is one beside its content.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  return dialog;
}

/**
 * What an element is made with, by name: a function listens ("onclick"), true and false are an attribute that is there
 * or not, and null is none.
 *
 * @typedef {Record<string, string | number | boolean | null | ((event: any) => void)>} Attributes
 */

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Attributes} [attributes]
 * @param {...(Node | string)} children
 */
export function make(tag, attributes = {}, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

/**
 * An element of a picture.
 *
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Attributes} [attributes]
 * @param {...(Node | string)} children
 */
export function draw(tag, attributes = {}, ...children) {
  return furnish(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/**
 * @template {Element} T
 * @param {T} element
 * @param {Attributes} attributes
 * @param {(Node | string)[]} children
 */
function furnish(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.replace(/^on/, ""), value);
    else if (typeof value === "boolean") element.toggleAttribute(name, value);
    else if (value !== null) element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

/**
 * Sets text only where it differs: an untouched text node keeps the person's selection, and nothing flickers.
 *
 * @param {Node} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Shows something of each thing in a list, in their order: makes what is lacking, and takes away what is shown of
 * things that are gone.
 *
 * @template K
 * @template {{element: Element}} V
 * @param {Element} list
 * @param {Map<K, V>} shown by what it is shown of
 * @param {K[]} keys
 * @param {(key: K, place: number) => V} create makes what is shown of one
 */
export function showEach(list, shown, keys, create) {
  const there = new Set(keys);
  for (const [key, { element }] of shown) {
    if (there.has(key)) continue;
    element.remove();
    shown.delete(key);
  }
  for (const [place, key] of keys.entries()) {
    const view = shown.get(key) ?? create(key, place);
    shown.set(key, view);
    if (list.children[place] !== view.element) list.insertBefore(view.element, list.children[place]);
  }
}

/**
 * Shows a line for as long as it says something.
 *
 * @param {HTMLElement} element
 * @param {string} text
 */
export function showLine(element, text) {
  setText(element, text);
  element.hidden = !text;
}
