/** The tools live here, apart from what is bundled; the sources are one folder up. */
export default { root: new URL("..", import.meta.url).pathname, test: { include: ["tests/**/*.test.ts"] } };
