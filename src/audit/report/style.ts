/** The whole style of the report: calm, printable, light or dark as the reader's system asks. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ground: #f5f6f7; --ink: #1b2126; --quiet: #535e68; --line: #d9dee2; --accent: #1f5673;
  --good: #22663f; --bad: #9c2a20; --warn: #7a5200; --bar: #3f7d9e; --bar2: #b5584d; --tint: #eef3f6;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #1a1f23; --ground: #12161a; --ink: #e4e8eb; --quiet: #a3aeb7; --line: #333b42; --accent: #8cc3e0;
    --good: #7fcc9c; --bad: #f0948a; --warn: #e2bd6a; --bar: #5f9dbd; --bar2: #cf7d73; --tint: #20282e;
  }
}
* { box-sizing: border-box; }
html { background: var(--ground); }
body {
  margin: 0 auto; max-width: 76rem; padding: 2.5rem 3rem 4rem; background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif;
}
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; letter-spacing: -.01em; }
h2 { font-size: 1.25rem; margin: 3rem 0 .6rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
p, ul, ol { max-width: 48rem; margin: .5rem 0; }
a { color: var(--accent); }
header p { color: var(--quiet); }
nav ol { columns: 2; column-gap: 3.5rem; padding-left: 1.6rem; margin: 1.2rem 0 0; max-width: 50rem; }
code, .key { font: .86em/1.45 ui-monospace, "SFMono-Regular", "Liberation Mono", Menlo, monospace; overflow-wrap: anywhere; }
pre { background: var(--tint); border: 1px solid var(--line); border-radius: 4px; padding: .7rem .9rem; white-space: pre-wrap; overflow-wrap: anywhere; margin: .5rem 0; }
dl.facts { display: grid; grid-template-columns: 13rem 1fr; gap: .35rem 1rem; margin: .8rem 0; }
dl.facts dt { color: var(--quiet); } dl.facts dd { margin: 0; overflow-wrap: anywhere; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .8rem; list-style: none; padding: 0; max-width: none; margin: 1.4rem 0; }
.figures li { border: 1px solid var(--line); border-radius: 6px; padding: .8rem 1rem; }
.figures b { display: block; font-size: 1.7rem; line-height: 1.15; font-weight: 600; font-variant-numeric: tabular-nums; }
.figures span { color: var(--quiet); font-size: .9rem; }
.scroll { overflow-x: auto; margin: .8rem 0 1.2rem; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; line-height: 1.45; }
caption { text-align: left; color: var(--quiet); padding: .3rem 0; }
th, td { text-align: left; vertical-align: top; padding: .45rem .7rem .45rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { font-weight: 600; white-space: nowrap; color: var(--quiet); }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; padding-right: 1.4rem; }
td.wide { min-width: 13rem; } td ul { margin: 0; padding-left: 1.1rem; }
td.whole, .cite { white-space: nowrap; }
td.when { white-space: nowrap; font-variant-numeric: tabular-nums; }
small { color: var(--quiet); font-size: .92em; }
.good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; } .warn { color: var(--warn); font-weight: 600; }
.note { border-left: 3px solid var(--accent); background: var(--tint); padding: .6rem 1rem; max-width: 48rem; }
.none { color: var(--quiet); font-style: italic; }
figure { margin: 1rem 0 1.4rem; } figcaption { color: var(--quiet); font-size: .875rem; margin-bottom: .4rem; }
svg { display: block; width: 100%; max-width: 46rem; height: auto; }
svg text { fill: var(--ink); font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif; }
svg .axis { stroke: var(--line); } svg .a { fill: var(--bar); } svg .b { fill: var(--bar2); } svg .quiet { fill: var(--quiet); }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1rem; color: var(--quiet); font-size: .9rem; }
@media (max-width: 46rem) { body { padding: 1.4rem 1.1rem; } nav ol { columns: 1; } dl.facts { grid-template-columns: 1fr; } }
@media print {
  :root {
    --paper: #fff; --ground: #fff; --ink: #000; --quiet: #444; --line: #bbb; --accent: #123; --tint: #f4f4f4;
    --good: #1c5433; --bad: #8a2219; --warn: #6a4700; --bar: #3f7d9e; --bar2: #b5584d; color-scheme: light;
  }
  @page { size: A4; margin: 16mm 14mm; }
  body { max-width: none; padding: 0; font-size: 9.5pt; } nav { display: none; }
  h2 { break-after: avoid; margin-top: 1.6rem; } h3 { break-after: avoid; }
  table { font-size: 8pt; } thead { display: table-header-group; } figure, .figures li, pre { break-inside: avoid; }
  td { min-width: 3.4rem; } td.wide { min-width: 7.5rem; } .scroll { overflow: visible; } a { text-decoration: none; color: inherit; }
}
`;
