/** The drawer with the conversations: found, opened, named anew and deleted. */

import { agoOf, titleOf, turnsOf } from "./conversations.js";
import { make, setText } from "./dom.js";

/** @typedef {import("./conversations.js").Summary} Summary */

/** A person who types has more to type for so long. */
const TYPING_MS = 250;

export class ConversationsView {
  /**
   * @param {import("./archive.js").Archive} archive
   * @param {{
   *   open: (summary: Summary) => void,
   *   remove: (summary: Summary) => void,
   *   rename: (summary: Summary, title: string) => void,
   *   isOpen: (id: string) => boolean,
   *   closed: (dialog: HTMLElement) => void,
   * }} actions
   */
  constructor(archive, actions) {
    this.archive = archive;
    this.actions = actions;
    this.dialog = /** @type {HTMLDialogElement} */ (make("dialog", "drawer"));
    this.dialog.id = "conversations";
    this.dialog.setAttribute("aria-labelledby", "conversations-title");
    const title = make("h2", "", "Conversations");
    title.id = "conversations-title";
    const close = button("quiet close", "×", "Close");
    close.addEventListener("click", () => this.dialog.close());
    const top = make("div", "top");
    top.append(title, close);
    this.search = /** @type {HTMLInputElement} */ (make("input", ""));
    this.search.type = "search";
    this.search.maxLength = 100;
    this.search.placeholder = "Search what was said";
    this.search.setAttribute("aria-label", "Search what was said");
    this.status = make("p", "hint");
    this.status.setAttribute("role", "status");
    this.list = make("ul", "");
    this.older = button("soft", "Show older ones");
    this.older.addEventListener("click", () => this.archive.more());
    this.dialog.append(top, this.search, this.status, this.list, this.older);
    document.body.append(this.dialog);
    /** The one that is being named anew. @type {string | null} */
    this.naming = null;
    this.listen();
  }

  /** Opens the drawer with what the server has now. */
  show() {
    this.search.value = "";
    this.naming = null;
    this.dialog.showModal();
    this.archive.load("");
  }

  /** Shows what the archive has. */
  update() {
    const { shown, before, isLoading } = this.archive;
    this.list.setAttribute("aria-busy", String(isLoading));
    setText(this.status, this.statusOf());
    this.older.hidden = before === null;
    const at = document.activeElement?.closest("#conversations li");
    const focused = at instanceof HTMLElement ? { id: at.dataset.id, part: partOf(document.activeElement) } : null;
    this.list.replaceChildren(...shown.map((summary) => this.itemOf(summary)));
    if (focused) this.focus(focused.id, focused.part);
  }

  /** @private */
  statusOf() {
    const { shown, query, trouble, isLoading } = this.archive;
    if (trouble) return trouble;
    if (isLoading && !shown.length) return "Looking …";
    if (shown.length) return query ? `${shown.length} found` : "";
    return query ? "No conversation has these words." : "Nothing yet. What you talk about will be found here.";
  }

  /** @private */
  listen() {
    let timer = 0;
    this.search.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.archive.load(this.search.value.trim()), TYPING_MS);
    });
    // Beside it, where the rest of the page lies under it.
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
    this.dialog.addEventListener("close", () => this.actions.closed(this.dialog));
  }

  /**
   * @private
   * @param {Summary} summary
   */
  itemOf(summary) {
    const item = make("li", "");
    item.dataset.id = summary.id;
    if (this.naming === summary.id) {
      item.append(this.formOf(summary));
      return item;
    }
    const title = titleOf(summary);
    const open = button("open", "");
    const when = `${agoOf(summary.last_at, Date.now() / 1000)} · ${turnsOf(summary.turns)}`;
    open.append(make("span", "title", title), make("span", "when", when));
    if (this.actions.isOpen(summary.id)) open.setAttribute("aria-current", "true");
    open.addEventListener("click", () => this.actions.open(summary));
    const rename = button("quiet rename", "", `Rename: ${title}`);
    rename.append(sign("i-rename"));
    rename.addEventListener("click", () => this.name(summary));
    const remove = button("quiet remove", "", `Delete: ${title}`);
    remove.append(sign("i-remove"));
    remove.addEventListener("click", () => this.remove(summary));
    item.append(open, rename, remove);
    return item;
  }

  /**
   * @private
   * @param {Summary} summary
   */
  formOf(summary) {
    const form = make("form", "naming");
    const input = /** @type {HTMLInputElement} */ (make("input", ""));
    input.type = "text";
    input.maxLength = 100;
    input.value = summary.title;
    input.setAttribute("aria-label", "Title");
    const save = /** @type {HTMLButtonElement} */ (make("button", "soft", "Save"));
    form.append(input, save);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const title = input.value.trim();
      if (title && title !== summary.title) this.actions.rename(summary, title);
      this.named(summary);
    });
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      // The drawer stays open.
      event.preventDefault();
      event.stopPropagation();
      this.named(summary);
    });
    return form;
  }

  /**
   * @private
   * @param {Summary} summary
   */
  name(summary) {
    this.naming = summary.id;
    this.update();
    const input = this.list.querySelector("input");
    input?.focus();
    input?.select();
  }

  /**
   * @private
   * @param {Summary} summary
   */
  named(summary) {
    this.naming = null;
    this.update();
    this.focus(summary.id, "rename");
  }

  /**
   * @private
   * @param {Summary} summary
   */
  remove(summary) {
    const { shown } = this.archive;
    const at = shown.indexOf(summary);
    const next = shown[at + 1] ?? shown[at - 1];
    this.actions.remove(summary);
    if (next) this.focus(next.id, "remove");
    else this.search.focus();
  }

  /**
   * @private
   * @param {string | undefined} id
   * @param {string} part
   */
  focus(id, part) {
    const item = [...this.list.children].find((one) => one instanceof HTMLElement && one.dataset.id === id);
    const element = item?.querySelector(part === "input" ? "input" : `.${part}`) ?? item?.querySelector("button");
    if (element instanceof HTMLElement) element.focus();
  }
}

/** One of the page's signs. @param {string} id */
function sign(id) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `#${id}`);
  svg.append(use);
  return svg;
}

/** Which part of an item has the focus. @param {Element | null} element */
function partOf(element) {
  if (element?.tagName === "INPUT") return "input";
  return ["rename", "remove"].find((part) => element?.classList.contains(part)) ?? "open";
}

/**
 * @param {string} className
 * @param {string} text
 * @param {string} [label] what it is for, where its text is a sign
 */
function button(className, text, label = "") {
  const made = /** @type {HTMLButtonElement} */ (make("button", className, text));
  made.type = "button";
  if (label) made.setAttribute("aria-label", label);
  return made;
}
