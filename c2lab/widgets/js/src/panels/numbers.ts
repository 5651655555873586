const UNITS = ["", "k", "M", "G", "T", "P"];

/** A count in three digits: 1234567 gives `1.23 M`. */
export function amount(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  let rest = Math.abs(value);
  let unit = 0;
  while (rest >= 999.5 && unit < UNITS.length - 1) {
    rest /= 1000;
    unit++;
  }
  const digits = unit === 0 ? String(Number(rest.toFixed(2))) : rest.toPrecision(3);
  return `${value < 0 ? "-" : ""}${digits} ${UNITS[unit]}`;
}

/** A number in four digits. */
export function brief(value: number): string {
  if (value === null || value === undefined) return "–";
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return value.toLocaleString("en");
  return Math.abs(value) >= 1e5 || Math.abs(value) < 1e-3 ? value.toExponential(2) : value.toPrecision(4);
}
