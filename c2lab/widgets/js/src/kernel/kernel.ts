import type { Model } from "./model";

export type Reply = Record<string, unknown>;

/** The kernel did not do what it was asked to, and says why. */
export class Refusal extends Error {}

interface Waiting {
  done: (reply: Reply) => void;
  failed: (reason: Refusal) => void;
}

/** Commands to the kernel, its replies, and the values that it keeps in step. */
export class Kernel {
  private waiting = new Map<number, Waiting>();
  private next = 1;
  private listeners = new Set<(event: Reply) => void>();

  constructor(readonly model: Model) {
    model.on("msg:custom", this.receive);
  }

  /** Asks for something; fails with a `Refusal` that holds the kernel's reason. */
  request(command: string, content: Reply = {}): Promise<Reply> {
    const id = this.next++;
    return new Promise((done, failed) => {
      this.waiting.set(id, { done, failed });
      this.model.send({ ...content, id, command });
    });
  }

  /** Hears what the kernel says without being asked. Returns how to stop that. */
  onEvent(listener: (event: Reply) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Hears when a value changed. Returns how to stop that. */
  onChange(name: string, listener: () => void): () => void {
    this.model.on(`change:${name}`, listener);
    return () => this.model.off(`change:${name}`, listener);
  }

  close(): void {
    this.model.off("msg:custom", this.receive);
    for (const { failed } of this.waiting.values()) failed(new Refusal("the view was closed"));
    this.waiting.clear();
  }

  private receive = (message: Reply): void => {
    const waiting = this.waiting.get(message?.reply as number);
    if (waiting) {
      this.waiting.delete(message.reply as number);
      if (message.ok) waiting.done(message);
      else waiting.failed(new Refusal(String(message.error ?? "the kernel gave no reason")));
    } else if (message?.event) {
      for (const listener of this.listeners) listener(message);
    }
  };
}
