import { describe, expect, it } from "vitest";
import type { Entry } from "../../src/kernel/scene";
import { search } from "../../src/palette/search";

const entry = (type: string, kind: Entry["kind"], words = "", gradient = false): Entry => ({
  type,
  kind,
  family: "",
  summary: "",
  words: `${type} ${words}`.toLowerCase(),
  gradient,
});

const ALL = [
  entry("conv", "layer"),
  entry("Conv", "operator", "convolution of an image"),
  entry("ConvGradient", "operator", "", true),
  entry("ConvTranspose", "operator"),
  entry("SoftmaxWithLoss", "operator", "cross entropy"),
  entry("max_pool", "layer"),
  entry("MaxPool", "operator", "largest value of a window"),
];
const first = (typed: string) => {
  const found = search(ALL, typed)[0];
  return found && `${found.kind} ${found.type}`;
};

describe("search", () => {
  it("takes names as they are written", () => {
    expect(first("conv")).toBe("layer conv");
    expect(first("Conv")).toBe("operator Conv");
    expect(first("maxpool")).toBe("operator MaxPool");
  });

  it("finds words of the documentation, and capitals", () => {
    expect(first("cross entropy")).toBe("operator SoftmaxWithLoss");
    expect(first("swl")).toBe("operator SoftmaxWithLoss");
    expect(first("window")).toBe("operator MaxPool");
  });

  it("puts gradients last and nothing where nothing fits", () => {
    expect(search(ALL, "conv").at(-1)?.type).toBe("ConvGradient");
    expect(search(ALL, "zzz")).toEqual([]);
    expect(search(ALL, " ")).toHaveLength(ALL.length);
  });
});
