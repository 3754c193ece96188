/** Blocks of text between empty lines. */
export function paragraphs(text: string): string[] {
  return text.split(/\r?\n(?:[ \t]*\r?\n)+/).filter((block) => block.trim() !== '');
}

/** `Name: value` lines by lower-case name; a line that begins with a space goes on with the value before it. */
export function fields(paragraph: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of paragraph.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    // The first of two wins, as in the mail format that these files come from.
    if (colon > 0 && !/^\s/.test(line) && !found.has(name)) found.set(name, line.slice(colon + 1).trim());
  }
  return found;
}
