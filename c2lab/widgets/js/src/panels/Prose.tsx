/** Text in which code stands between double backticks. */
export function Prose({ text }: { text: string }) {
  // Every second part stood between backticks.
  return text.split("``").map((part, place) => {
    const key = `${place} ${part}`;
    return place % 2 ? <code key={key}>{part}</code> : <span key={key}>{part}</span>;
  });
}
