import { ERROR_CODES } from "../src/model/error-codes.ts";

const INTENTS = {
  retry: "waited for and tried again, within limits; then the stream fails with its cursor kept",
  skip: "the record is parked, the rest goes on",
  halt: "the stream stops until a person acts",
  bug: "the stream stops with its state as it was; please report it",
} as const;

/** The text of `docs/errors.md`, made of the codes alone. */
export function errorsPage(): string {
  const codes = Object.entries(ERROR_CODES).map(
    ([code, { intent, exit, cause, remedy }]) =>
      `### ${code}\n\n${cause}\n\n*What to do:* ${remedy}\n\n*Lockstep:* ${intent}; exit code ${exit}.\n`,
  );
  const intents = Object.entries(INTENTS).map(([intent, meaning]) => `| ${intent} | ${meaning} |`);
  return `# Errors

Every error has a stable code. The message says what failed on what, with the value and what was
allowed; the hint says what to do. No message holds a token or a record's contents.
This page is made from \`src/model/error-codes.ts\` by \`npm run docs\`, and a test keeps the two equal.

| intent | what Lockstep does |
|---|---|
${intents.join("\n")}

${codes.join("\n")}`;
}
