import { brief } from "./numbers";

interface Props {
  counts: number[];
  low: number;
  high: number;
}

/** How values are spread, as bars. */
export function Histogram({ counts, low, high }: Props) {
  const most = Math.max(...counts, 1);
  const width = 100 / Math.max(counts.length, 1);
  return (
    <figure className="c2b-histogram">
      <svg
        viewBox="0 0 100 40"
        preserveAspectRatio="none"
        role="img"
        aria-label={`Values from ${brief(low)} to ${brief(high)}`}
      >
        {counts.map((count, k) => (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: bars have no other name than their place
            key={k}
            x={k * width + 0.15}
            width={Math.max(width - 0.3, 0.2)}
            y={40 - (38 * count) / most}
            height={(38 * count) / most}
          />
        ))}
      </svg>
      <figcaption>
        <span>{brief(low)}</span>
        <span>{brief(high)}</span>
      </figcaption>
    </figure>
  );
}
