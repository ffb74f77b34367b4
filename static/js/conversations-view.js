/** The drawer with the conversations: found, opened, named anew and deleted. */

import { agoOf, titleOf, turnsOf } from "./conversations.js";
import { byId, dialogById, draw, make, setText } from "./dom.js";

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
   * }} actions
   */
  constructor(archive, actions) {
    this.archive = archive;
    this.actions = actions;
    this.dialog = dialogById("conversations");
    this.search = /** @type {HTMLInputElement} */ (byId("conversations-search"));
    this.list = byId("conversations-list");
    this.older = byId("conversations-older");
    /** The one that is being named anew. @type {string | null} */
    this.naming = null;
    let timer = 0;
    this.search.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.archive.load(this.search.value.trim()), TYPING_MS);
    });
    this.older.addEventListener("click", () => this.archive.more());
    byId("conversations-close").addEventListener("click", () => this.dialog.close());
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
    setText(byId("conversations-status"), this.statusOf());
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

  /**
   * @private
   * @param {Summary} summary
   */
  itemOf(summary) {
    if (this.naming === summary.id) return make("li", { "data-id": summary.id }, this.formOf(summary));
    const title = titleOf(summary);
    const when = `${agoOf(summary.last_at, Date.now() / 1000)} · ${turnsOf(summary.turns)}`;
    const current = this.actions.isOpen(summary.id) ? "true" : null;
    const open = make(
      "button",
      { class: "open", type: "button", "aria-current": current, onclick: () => this.actions.open(summary) },
      make("span", { class: "title" }, title),
      make("span", { class: "when" }, when),
    );
    const rename = signButton("rename", `Rename: ${title}`, () => this.name(summary));
    const remove = signButton("remove", `Delete: ${title}`, () => this.remove(summary));
    return make("li", { "data-id": summary.id }, open, rename, remove);
  }

  /**
   * @private
   * @param {Summary} summary
   */
  formOf(summary) {
    const input = make("input", { type: "text", maxlength: 100, value: summary.title, "aria-label": "Title" });
    const form = make("form", { class: "naming" }, input, make("button", { class: "soft" }, "Save"));
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

/**
 * A button that shows one of the page's signs.
 *
 * @param {"rename" | "remove"} name
 * @param {string} label
 * @param {() => void} onclick
 */
function signButton(name, label, onclick) {
  const sign = draw("svg", { "aria-hidden": "true" }, draw("use", { href: `#i-${name}` }));
  return make("button", { class: `quiet ${name}`, type: "button", "aria-label": label, onclick }, sign);
}

/** Which part of an item has the focus. @param {Element | null} element */
function partOf(element) {
  if (element?.tagName === "INPUT") return "input";
  return ["rename", "remove"].find((part) => element?.classList.contains(part)) ?? "open";
}
