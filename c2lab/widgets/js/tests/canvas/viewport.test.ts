import { describe, expect, it } from "vitest";
import { neighbour } from "../../src/canvas/neighbours";
import { countSeen, fitted, revealing, wantsOverview } from "../../src/canvas/viewport";

const place = (id: string, x: number, y: number) => ({ id, x, y, w: 100, h: 40 });

describe("the view", () => {
  it("centres what fits", () => {
    expect(fitted([place("a", 0, 0)], 400, 300, 0.8, 1)).toEqual({ x: 150, y: 130, zoom: 1 });
  });

  it("shows the beginning of what does not fit", () => {
    const view = fitted([place("a", 0, 0), place("b", 3000, 0)], 400, 300, 0.8);
    expect(view.zoom).toBe(0.8);
    expect(view.x).toBe(32);
  });

  it("moves no more than needed", () => {
    const view = { x: 0, y: 0, zoom: 1 };
    expect(revealing(view, place("a", 100, 100), 400, 300)).toBe(view);
    expect(revealing(view, place("a", 350, 100), 400, 300)).toEqual({ x: -82, y: 0, zoom: 1 });
    expect(revealing(view, place("a", -50, 100), 400, 300)).toEqual({ x: 82, y: 0, zoom: 1 });
  });

  it("draws large nets as a whole, and does not flicker at the border", () => {
    expect(wantsOverview(100, 100, 0.1, false)).toBe(false);
    expect(wantsOverview(2000, 251, 1, false)).toBe(true);
    expect(wantsOverview(2000, 240, 1, false)).toBe(false);
    expect(wantsOverview(2000, 240, 1, true)).toBe(true);
    expect(wantsOverview(2000, 10, 0.34, false)).toBe(true);
  });

  it("counts what is seen", () => {
    expect(countSeen([place("a", 0, 0), place("b", 900, 0)], { x: 0, y: 0, zoom: 1 }, 400, 300)).toBe(1);
  });
});

describe("neighbours", () => {
  const places = [place("a", 0, 0), place("b", 200, 0), place("c", 200, 200), place("d", 120, 300)];

  it("go where the eye would", () => {
    expect(neighbour(places, "a", "ArrowRight")).toBe("b");
    expect(neighbour(places, "b", "ArrowDown")).toBe("c");
    expect(neighbour(places, "c", "ArrowUp")).toBe("b");
    expect(neighbour(places, "a", "ArrowLeft")).toBeNull();
  });

  it("begin somewhere", () => {
    expect(neighbour(places, "gone", "ArrowLeft")).toBe("a");
    expect(neighbour([], "gone", "ArrowLeft")).toBeNull();
  });
});
