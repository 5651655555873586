const KEYS: [string, string][] = [
  ["/ or double-click", "search the palette; Enter places, wired to what is chosen"],
  ["Arrow keys", "go from box to box"],
  ["Enter", "choose the box and go to its form; Enter or Escape comes back"],
  ["Space", "add the box to what is chosen, or take it out"],
  ["C", "connect: go to the other box with the arrow keys, then Enter; Tab changes the input, Escape gives up"],
  ["Alt + arrow keys", "move what is chosen (with Shift: by one pixel)"],
  ["Delete", "remove; with Shift, wire its neighbours to each other"],
  ["Ctrl Z, Ctrl Shift Z", "undo, redo"],
  ["Ctrl C, Ctrl X, Ctrl V, Ctrl D", "copy, cut, paste (as text), duplicate"],
  ["Ctrl A", "choose everything"],
  ["Ctrl F", "find an operator, a blob or an argument"],
  ["+, -, 0", "zoom; fit the whole net"],
  ["W", "go from the box to its wires; arrow keys go on, Escape comes back"],
  ["M", "write a comment"],
  ["Escape", "choose nothing; leave the full-size view"],
];

/** The keys. */
export function HelpPanel() {
  return (
    <div className="c2b-scroll">
      <table className="c2b-keys">
        <caption className="c2b-hidden">Keys</caption>
        <tbody>
          {KEYS.map(([keys, what]) => (
            <tr key={keys}>
              <th scope="row">{keys}</th>
              <td>{what}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="c2b-muted">
        Drag from the palette onto the canvas, or onto a wire to splice in. Drag from a port to another; let go over
        nothing for what fits. The wheel zooms with Ctrl, or after a click inside.
      </p>
    </div>
  );
}
