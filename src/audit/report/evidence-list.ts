import { type Html, html } from './html.ts';

/** Keys of evidence by number: a key is 130 characters long, so rows name a number and the keys stand at the end. */
export class EvidenceList {
  readonly #numbers = new Map<string, number>();

  /** A reference to the key in the list. */
  mark(key: unknown): Html {
    if (typeof key !== 'string') return html`<span class="none">none</span>`;
    const number = this.#numbers.get(key) ?? this.#numbers.size + 1;
    this.#numbers.set(key, number);
    return html`<a href="#e${number}">E${number}</a>`;
  }

  /** Every key that was named so far. */
  list(): Html {
    if (this.#numbers.size === 0) return html`<p class="none">This report names no evidence.</p>`;
    return html`<ol class="key">${[...this.#numbers].map(([key, number]) => html`<li id="e${number}"><code>${key}</code></li>`)}</ol>`;
  }
}
