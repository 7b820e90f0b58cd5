/** Writes a text as bytes, or gives the first character that the encoding does not have. */
export type Encoder = (text: string) => Uint8Array | { readonly missing: string };

/** The encoder of a name that TextDecoder knows; nothing for one that cannot be written. */
export function encoderOf(name: string): Encoder | undefined {
  const { encoding } = new TextDecoder(name);
  switch (encoding) {
    case "utf-8":
      return (text) => (text.isWellFormed() ? Buffer.from(text, "utf8") : halfPair(text));
    case "utf-16le":
      return (text) => (text.isWellFormed() ? Buffer.from(text, "utf16le") : halfPair(text));
    case "utf-16be":
      return (text) =>
        text.isWellFormed() ? Buffer.from(text, "utf16le").swap16() : halfPair(text);
    default:
      return singleByteEncoder(encoding);
  }
}

const halfPair = (text: string): { readonly missing: string } => ({
  missing: [...text].find((character) => !character.isWellFormed()) ?? "",
});

/** Made of what the decoder says of every byte; nothing where bytes do not stand for themselves. */
function singleByteEncoder(encoding: string): Encoder | undefined {
  const bytes = new Map<string, number>();
  for (let byte = 0; byte < 256; byte += 1) {
    try {
      const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
      const character = decoder.decode(Uint8Array.of(byte));
      if (character.length !== 1 || (byte < 0x80 && character.charCodeAt(0) !== byte)) return;
      bytes.set(character, byte);
    } catch {
      // A byte that stands for nothing in this encoding; in one of several bytes most of them do.
    }
  }
  if (bytes.size < 200) return undefined;
  return (text) => {
    const encoded = new Uint8Array(text.length);
    for (let at = 0; at < text.length; at += 1) {
      const byte = bytes.get(text[at] ?? "");
      if (byte === undefined) return { missing: String.fromCodePoint(text.codePointAt(at) ?? 0) };
      encoded[at] = byte;
    }
    return encoded;
  };
}
