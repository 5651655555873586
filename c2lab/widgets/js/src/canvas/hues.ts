/** The hue of each family of operators: the same as in still pictures (`c2lab/graph/palette.py`). */
const FAMILIES: Record<string, string> = {
  blue: "convolution",
  teal: "pooling images patches",
  indigo: "linear similarity",
  green: "activations gates",
  violet: "normalization layer_normalization channel_statistics unit_length dropout regularization",
  rose: "softmax hierarchical_softmax losses ranking_losses metrics",
  amber: "fillers random",
  orange: "updates adaptive_updates sparse_updates sparse_adaptive_updates learning_rate iteration",
  cyan: "arithmetic elementwise comparisons trigonometry reductions outer_reductions",
};

const HUE_OF = new Map(
  Object.entries(FAMILIES).flatMap(([hue, families]) => families.split(" ").map((family) => [family, hue] as const)),
);

/** The name of a family's hue; grey for a family without one. */
export function hueOf(family: string): string {
  return HUE_OF.get(family) ?? "grey";
}
