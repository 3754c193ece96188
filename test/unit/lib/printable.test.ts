import { printable } from '../../../src/lib/printable.ts';

describe('text for a log', () => {
  it.each([
    ['a line of words', 'trivy on trivy.json: complete', 'trivy on trivy.json: complete'],
    ['line feeds and tabs', 'a\n\tb\n', 'a\n\tb\n'],
    ['colours', '\u001b[31mred\u001b[0m', '\u001b[31mred\u001b[0m'],
    ['a command to a runner', 'x\n::add-mask::secret', 'x\n· ::add-mask::secret'],
    ['an indented one', '  ::set-output name=a::b', '·   ::set-output name=a::b'],
    ['one of the older kind', '##[group]x', '##·[group]x'],
    ['one of the older kind in a line', 'trivy ##[add-mask]secret', 'trivy ##·[add-mask]secret'],
    ['a carriage return that hides what was there', 'DENY\rALLOW', 'DENY\ufffdALLOW'],
    ['a terminal title', '\u001b]0;x\u0007', '\ufffd]0;x\ufffd'],
    ['the cursor moved up', 'a\u001b[2Ab', 'a\ufffd[2Ab'],
    ['a C1 control', 'a\u009b31mb', 'a\ufffd31mb'],
    ['other line ends', 'a\u2028::b\u0085::c', 'a\ufffd::b\ufffd::c'],
  ])('%s', (_, text, shown) => {
    expect(printable(text)).toBe(shown);
  });
});
