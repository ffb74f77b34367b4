/** The timers, alarms and reminders that wait in the conversation, as the server tells them. */

/** @typedef {{id: string, kind: "timer" | "alarm" | "reminder", label: string, left_ms: number}} Timer */

export class Timers {
  /**
   * @param {import("./events.js").Events} events
   * @param {import("./connection.js").Connection} connection
   */
  constructor(events, connection) {
    this.events = events;
    this.connection = connection;
  }

  /**
   * @param {import("./protocol.js").Message} event
   * @param {string | null} conversation that the next turn goes on
   */
  take(event, conversation) {
    if (event.type === "timers") this.events.tell("timers", event.timers);
    if (event.type !== "session" || event.resumed) return;
    this.events.tell("timers", []);
    // A new session has a conversation of its own, and would tell nothing of what waits in this one.
    if (conversation !== event.conversation && event.features?.includes("timers")) {
      this.connection.say({ type: "resume", conversation });
    }
  }

  /** @param {string} id of one that is to be no more */
  cancel(id) {
    this.connection.say({ type: "cancel_timer", id });
  }
}
