import { describe, expect, it } from "vitest";
import { Kernel, Refusal } from "../../src/kernel/kernel";
import type { Model } from "../../src/kernel/model";
import { actionOf } from "../../src/keys";

function fake() {
  const sent: { id: number; command: string }[] = [];
  let heard: (message: unknown) => void = () => {};
  const model = {
    get: () => null,
    set: () => {},
    on: (_: string, listener: (message: unknown) => void) => {
      heard = listener;
    },
    off: () => {},
    save_changes: () => {},
    send: (message: { id: number; command: string }) => sent.push(message),
  } as unknown as Model;
  return { kernel: new Kernel(model), sent, say: (message: unknown) => heard(message) };
}

describe("Kernel", () => {
  it("gives each asker its own answer", async () => {
    const { kernel, sent, say } = fake();
    const [first, second] = [kernel.request("form", { node: "a" }), kernel.request("undo")];
    say({ reply: sent[1]?.id, ok: true, label: "add" });
    say({ reply: sent[0]?.id, ok: true, fields: [] });
    expect((await first).fields).toEqual([]);
    expect((await second).label).toBe("add");
    expect(sent[0]).toMatchObject({ command: "form", node: "a" });
  });

  it("passes on why something was refused", async () => {
    const { kernel, sent, say } = fake();
    const asked = kernel.request("connect");
    say({ reply: sent[0]?.id, ok: false, error: "a wire in a circle" });
    await expect(asked).rejects.toThrow("a wire in a circle");
    await expect(asked).rejects.toBeInstanceOf(Refusal);
  });

  it("does not let askers wait for a view that is gone", async () => {
    const { kernel } = fake();
    const asked = kernel.request("run");
    kernel.close();
    await expect(asked).rejects.toBeInstanceOf(Refusal);
  });

  it("tells events to those who listen", () => {
    const { kernel, say } = fake();
    const heard: unknown[] = [];
    const stop = kernel.onEvent((event) => heard.push(event.step));
    say({ event: "train", step: 1 });
    stop();
    say({ event: "train", step: 2 });
    expect(heard).toEqual([1]);
  });
});

describe("keys", () => {
  const pressed = (key: string, more: object = {}) =>
    actionOf({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...more });

  it("mean what the help says", () => {
    expect(pressed("/")).toBe("search");
    expect(pressed("z", { ctrlKey: true })).toBe("undo");
    expect(pressed("Z", { metaKey: true, shiftKey: true })).toBe("redo");
    expect(pressed("c")).toBe("connect");
    expect(pressed("c", { ctrlKey: true })).toBe("copy");
    expect(pressed("ArrowUp", { altKey: true })).toBe("move");
    expect(pressed("ArrowUp")).toBe("go");
    expect(pressed("Delete", { shiftKey: true })).toBe("heal");
    expect(pressed("q")).toBeNull();
    expect(pressed("v", { ctrlKey: true })).toBeNull();
  });
});
