/**
 * Conversations that last: which one the page goes on with, and what a person does with the others. Joins the
 * assistant, the archive and the drawer.
 */

import { Archive } from "./archive.js";
import { Conversation } from "./conversation.js";
import { Opened, placeOf, titleOf } from "./conversations.js";
import { ConversationsView } from "./conversations-view.js";
import { UndoView } from "./undo-view.js";

/** @typedef {import("./conversations.js").Summary} Summary */
/** @typedef {import("./turn.js").Turn} Turn */

export class Keeping {
  /**
   * @param {import("./assistant.js").Assistant} assistant
   * @param {{
   *   api: import("./api.js").Api,
   *   showAll: () => void,
   *   tell: (text: string) => void,
   * }} options `showAll` shows the assistant's conversation in the place of another; `tell` has a screen reader say it
   */
  constructor(assistant, { api, showAll, tell }) {
    this.assistant = assistant;
    this.showAll = showAll;
    this.tell = tell;
    this.opened = new Opened(placeOf(document.baseURI));
    this.archive = new Archive(api, this.opened);
    this.undo = new UndoView();
    this.view = new ConversationsView(this.archive, {
      open: (summary) => this.open(summary),
      remove: (summary) => this.remove(summary),
      rename: ({ id }, title) => {
        this.archive.rename(id, title).catch(this.failing("The conversation could not be renamed."));
      },
      isOpen: (id) => id === this.id && this.assistant.conversation.turns.length > 0,
    });
    this.archive.onchange = () => this.view.update();
    /** The one that a page which was loaded anew goes on with, until its turns are there. */
    this.resuming = this.opened.left ?? this.opened.current;
    if (this.resuming) assistant.session.conversationId = this.resuming;
  }

  /** Of the conversation that is open. */
  get id() {
    return this.assistant.session.conversationId;
  }

  /** There is a session: what was open when the page was left is shown again. */
  async greeted() {
    const id = this.resuming;
    this.resuming = null;
    if (!id) return;
    // Another tab goes on with it; this one begins anew, and the drawer has it.
    if (id !== this.opened.left && (await this.opened.isElsewhere(id))) this.leave();
    else await this.bring(id);
  }

  /** @param {Turn} turn of which something has changed */
  note(turn) {
    if (turn.isOver && turn.remembered && this.id !== this.opened.held) this.opened.open(this.id);
  }

  /** Begins a new conversation; for some seconds the person can go back to this one. */
  beginAnew() {
    const { id, assistant: { conversation } } = this;
    this.goOn(new Conversation(), null);
    this.undo.show({ text: "A new conversation.", undo: () => this.goOn(conversation, id) });
  }

  /**
   * @private
   * @param {Conversation} conversation
   * @param {string | null} id
   */
  goOn(conversation, id) {
    this.resuming = null;
    this.assistant.goOn(conversation, id);
    this.opened.open(id);
    this.showAll();
  }

  /** Does without what was to be gone on with. @private */
  leave() {
    const { conversation, session } = this.assistant;
    if (!conversation.isBusy) session.conversationId = session.server?.conversation ?? null;
  }

  /**
   * @private
   * @param {Summary} summary
   */
  async open(summary) {
    this.view.dialog.close();
    if (summary.id === this.id && this.assistant.conversation.turns.length) return;
    this.goOn(new Conversation(), summary.id);
    if (await this.bring(summary.id)) this.tell(`Opened: ${titleOf(summary)}`);
  }

  /**
   * Shows the turns of the conversation that is open.
   *
   * @private
   * @param {string} id
   * @returns {Promise<boolean>} whether there are any
   */
  async bring(id) {
    try {
      const turns = await this.archive.turns(id);
      if (this.id !== id) return false;
      if (turns) {
        this.assistant.conversation.turns.unshift(...turns);
        this.opened.open(id);
        this.showAll();
      } else {
        this.opened.forget(id);
        this.leave();
      }
      return turns !== null;
    } catch (error) {
      this.failing("What was said before could not be loaded.")(/** @type {Error} */ (error));
      return false;
    }
  }

  /**
   * @private
   * @param {Summary} summary
   */
  remove(summary) {
    const { conversation } = this.assistant;
    const wasOpen = summary.id === this.id;
    // What was deleted before is, by now.
    this.undo.settle();
    // A live session would keep the server from deleting it.
    if (wasOpen) this.goOn(new Conversation(), null);
    this.archive.remove(summary);
    this.undo.show({
      text: "Deleted.",
      undo: () => {
        this.archive.putBack(summary);
        if (wasOpen) this.goOn(conversation, summary.id);
      },
      gone: () => this.archive.delete(summary).catch(this.failing("The conversation could not be deleted.")),
    });
  }

  /**
   * @private
   * @param {string} title of the notice
   * @returns {(error: Error) => void} what tells that something has failed, and why
   */
  failing(title) {
    return ({ message }) => this.assistant.events.tell("notice", "archive", { title, text: message }, "note");
  }
}
