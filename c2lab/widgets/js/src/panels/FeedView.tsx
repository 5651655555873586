import { useContext } from "react";
import { Actions } from "../actions";
import { base64Of } from "../files";
import type { Kernel } from "../kernel/kernel";

/** Values for an input: an array or a picture from a file, or samples of handwritten digits. */
export function FeedView({ kernel, blob }: { kernel: Kernel; blob: string }) {
  const actions = useContext(Actions);
  const feed = async (content: Record<string, unknown>) => {
    try {
      const reply = await kernel.request("feed", { blob, ...content });
      const fed = Object.entries((reply.fed ?? {}) as Record<string, string>);
      actions.say(`Fed ${fed.map(([name, shape]) => `${name} ${shape}`).join(", ")}`);
    } catch (error) {
      actions.complain((error as Error).message);
    }
  };
  return (
    <div className="c2b-feed">
      <button type="button" onClick={() => feed({ sample: "digits" })}>
        Feed digits
      </button>
      <label className="c2b-file">
        Feed a file
        <input
          type="file"
          accept=".npy,image/*"
          onChange={async (event) => {
            const file = event.target.files?.[0];
            if (file) feed({ filename: file.name, base64: await base64Of(file) });
          }}
        />
      </label>
    </div>
  );
}
