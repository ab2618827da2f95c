/** Style sheet of the flame graph. It stands in XML: no `<` or `&`. */
export const style = `
svg { background: #fbfbf8; font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
text { fill: #1b1b1b; white-space: pre; }
.paper { fill: #fbfbf8; }
.heading { font-size: 15px; font-weight: bold; }
.remark { fill: #a03000; }
.aside { fill: #666; }
#labels { pointer-events: none; }
#labels text { fill: #1b1b1b; }
#frames rect { cursor: pointer; }
#frames .around { opacity: 0.55; }
#frames .found { fill: #e08bf2; }
#frames .focus { stroke: #000; stroke-width: 2; }
#tools { font-size: 12px; display: flex; gap: 8px; justify-content: flex-end; align-items: center; }
#tools input { font: inherit; width: 18em; padding: 1px 4px; }
#tools span { color: #555; }
@media (prefers-color-scheme: dark) {
  svg { background: #1f1f1f; }
  .paper { fill: #1f1f1f; }
  text { fill: #e6e6e6; }
  .remark { fill: #ffae7a; }
  .aside { fill: #aaa; }
  #tools span { color: #bbb; }
  #frames .focus { stroke: #fff; }
}
`
