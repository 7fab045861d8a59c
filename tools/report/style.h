// The style sheet of the page.
#pragma once

#include <string_view>

namespace residual::tools {

// The colours of the runs are those of Okabe and Ito, chosen for readers with any form of colour blindness; on white,
// orange and sky blue are darker, so that each has a contrast of at least 3:1 to its background.
constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1b1b; --soft: #5a5a5a; --rule: #d5d5d5; --panel: #f5f5f5;
  --warn: #fdf1dc; --link: #005a94; --right: 0, 114, 178; --wrong: 213, 94, 0;
  --run0: #0072b2; --run1: #d55e00; --run2: #009e73; --run3: #cc79a7; --run4: #c08600; --run5: #2f97d4; --run6: #000; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16181a; --ink: #e8e8e8; --soft: #a9adb1; --rule: #3a3e42; --panel: #212427; --warn: #3a2f18;
    --link: #7cc4f5; --right: 86, 180, 233; --wrong: 230, 120, 30;
    --run0: #56b4e9; --run1: #e69f00; --run2: #009e73; --run3: #cc79a7; --run4: #f0e442; --run5: #d55e00; --run6: #fff; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 16px; max-width: 1180px; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 28px; margin: 8px 0; }
h2 { font-size: 22px; margin: 40px 0 8px; padding-top: 12px; border-top: 1px solid var(--rule); }
h3 { font-size: 17px; margin: 24px 0 6px; }
a { color: var(--link); }
small, .note, figcaption { color: var(--soft); font-size: 14px; }
sup { line-height: 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th, td { padding: 5px 10px; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top; }
thead th { vertical-align: bottom; color: var(--soft); font-weight: 600; }
tbody th { font-weight: 600; white-space: nowrap; }
.numbers td, .numbers th + th { text-align: right; white-space: nowrap; }
.numbers thead th { white-space: normal; }
.numbers td:last-child, .numbers th:last-child { text-align: left; }
.origins td:last-child { min-width: 420px; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 24px; }
figure { margin: 0; max-width: 640px; min-width: 0; }
figure h3 { margin-top: 8px; }
.chart { display: block; width: 100%; height: auto; }
.chart text { font-size: 12.5px; fill: var(--ink); }
.chart .tick { fill: var(--soft); }
.grid { stroke: var(--rule); stroke-width: 1; }
.axis { stroke: var(--soft); stroke-width: 1; fill: none; }
@media (max-width: 560px) { .chart text { font-size: 14.5px; } }
.line { stroke: currentColor; stroke-width: var(--width, 2px); stroke-linejoin: round; fill: none; }
.line.dashed { stroke-width: calc(0.7 * var(--width, 2px)); stroke-dasharray: 5 3; }
.marker { fill: currentColor; }
.swatch { width: 30px; height: 12px; vertical-align: middle; flex: none; }
.run0 { color: var(--run0); } .run1 { color: var(--run1); } .run2 { color: var(--run2); } .run3 { color: var(--run3); }
.round1 { --width: 4px; } .round2 { --width: 1px; } .round3 { --width: 6px; }
.run4 { color: var(--run4); } .run5 { color: var(--run5); } .run6 { color: var(--run6); }
.legend { list-style: none; margin: 4px 0; padding: 0; display: flex; flex-wrap: wrap; gap: 2px 18px; font-size: 14px; }
.legend li { display: flex; align-items: center; gap: 6px; }
.accuracy td { min-width: 110px; position: relative; text-align: right; }
.bar { position: absolute; left: 0; top: 3px; bottom: 3px; background: rgba(var(--right), 0.25); }
.confusion { font-size: 13px; }
.confusion caption { caption-side: top; text-align: left; color: var(--soft); font-size: 14px; }
.confusion th, .confusion td { padding: 4px; }
.confusion td { min-width: 34px; text-align: right; border: 1px solid var(--rule); }
.confusion thead td { border: 0; }
.confusion thead th { text-align: center; }
.confusion thead th span { writing-mode: vertical-rl; transform: rotate(180deg); }
@media (max-width: 560px) {
  .confusion { font-size: 11px; }
  .confusion th, .confusion td { padding: 4px 2px; }
  .confusion td { min-width: 26px; }
}
.right { background: rgba(var(--right), calc(0.6 * var(--shade))); }
.wrong { background: rgba(var(--wrong), calc(0.6 * var(--shade))); }
.matrix { width: min(100%, 500px); image-rendering: pixelated; border: 1px solid var(--rule); }
.images, .filters { list-style: none; margin: 8px 0; padding: 0; display: grid; gap: 14px 12px; }
.images { grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); }
.images li { display: flex; flex-direction: column; font-size: 13px; line-height: 1.35; }
.images .pixels { width: 96px; height: 96px; margin-bottom: 4px; }
.filters { grid-template-columns: repeat(auto-fill, 48px); }
.filters .pixels { width: 48px; height: 48px; display: block; }
.pixels { image-rendering: pixelated; }
.remarks { background: var(--warn); border-radius: 4px; padding: 8px 12px 8px 30px; margin: 8px 0; font-size: 14px; }
pre, code { font: 13px/1.45 ui-monospace, "DejaVu Sans Mono", monospace; background: var(--panel); border-radius: 4px; }
code { padding: 1px 4px; }
pre { padding: 12px; overflow-x: auto; overflow-wrap: normal; }
summary { cursor: pointer; }
)";

}  // namespace residual::tools
