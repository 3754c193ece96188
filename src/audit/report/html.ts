/** Markup that this program wrote. Everything else is text and is escaped on its way in. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

type Part = Html | string | number | null | readonly Part[];

/**
 * A template of markup: what is put in is text, whatever it looks like, unless it is `Html` itself. Repositories, findings and
 * messages come from people who may not like the report.
 */
export function html(markup: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(markup.map((text, i) => text + (i < parts.length ? markupOf(parts[i] as Part) : '')).join(''));
}

function markupOf(part: Part): string {
  if (part === null) return '';
  if (part instanceof Html) return part.markup;
  if (Array.isArray(part)) return part.map((each) => markupOf(each as Part)).join('');
  return escaped(String(part));
}

const ENTITIES: { [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Control and direction characters are shown as U+FFFD: text must not rearrange what stands around it. */
function escaped(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd')
    .replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}
