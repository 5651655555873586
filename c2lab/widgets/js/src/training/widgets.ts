/** Small parts of the panel's page. */

export interface State {
  name: string;
  state: string;
  step: number;
  planned: number | null;
  epoch: number;
  rate: number | null;
  steered: boolean;
  kept: boolean;
  error: string;
  steps_a_second: number;
  samples_a_second: number;
  seconds_left: number | null;
  input_wait: number;
}

export function element<K extends keyof HTMLElementTagNameMap>(kind: K, className = ""): HTMLElementTagNameMap[K] {
  const made = document.createElement(kind);
  if (className) made.className = className;
  return made;
}

export function button(text: string, title: string, press: () => void): HTMLButtonElement {
  const made = element("button", "c2-training-button");
  made.type = "button";
  made.textContent = text;
  made.title = title;
  if (text.length < 3) made.setAttribute("aria-label", title);
  made.addEventListener("click", press);
  return made;
}

export function field(name: string, input: HTMLElement): HTMLLabelElement {
  const made = element("label");
  made.append(name, " ", input);
  return made;
}

/** The line of figures. */
export function told(state: State): string {
  const parts = [state.name, state.state, `step ${state.step.toLocaleString("en")}`];
  if (state.planned) parts[2] += ` of ${state.planned.toLocaleString("en")}`;
  parts.push(`epoch ${state.epoch}`);
  parts.push(`${round(state.steps_a_second)} steps/s`, `${round(state.samples_a_second)} samples/s`);
  if (state.seconds_left && state.state === "running") parts.push(`${duration(state.seconds_left)} left`);
  parts.push(`input wait ${(100 * state.input_wait).toFixed(1)} %`);
  return parts.join("  ·  ");
}

function round(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
