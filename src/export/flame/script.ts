/**
 * What makes the flame graph a tool, in the browser's JavaScript; it stands in a CDATA section. It reads the
 * frames from the element `data`, where each is eight numbers, and keeps the rectangles of the picture, in
 * the same order.
 */
export const script = String.raw`
(() => {
  'use strict'
  const svg = document.currentScript.ownerSVGElement
  const find = (id) => svg.querySelector('#' + id)
  const { sizes, labels, frames: numbers } = JSON.parse(find('data').textContent)
  const { total, levels, unit, margin, rowHeight, top, height, baseline, characterWidth } = sizes
  const rects = [...find('frames').children]
  const labelLayer = find('labels')
  const details = find('details')
  const svgNs = 'http://www.w3.org/2000/svg'
  const htmlNs = 'http://www.w3.org/1999/xhtml'

  // Frames come callers first: the last one of the level below is the parent.
  const lastOfLevel = []
  const frames = rects.map((rect, index) => {
    const [label, level, x, value, self, calls, atLeast, atMost] = numbers.slice(8 * index, 8 * index + 8)
    const [name, module] = labels[label]
    const parent = level === 0 ? undefined : lastOfLevel[level - 1]
    const frame = { index, rect, name, module, level, x, value, self, calls, atLeast, atMost, parent, found: false }
    frame.left = 0
    frame.width = 0
    lastOfLevel[level] = frame
    rect.frame = frame
    return frame
  })
  const root = frames[0]
  if (root === undefined) return

  let width = sizes.width
  let zoomed = root
  let focus
  let hovered
  let icicle = sizes.icicle
  let pattern

  const hint = 'click or Enter: zoom · Esc: back · / or Ctrl-F: search · n, N: next, previous · arrows: walk · i: turn over'

  labelLayer.textContent = ''
  for (const frame of frames) {
    frame.text = document.createElementNS(svgNs, 'text')
    labelLayer.append(frame.text)
  }

  const tools = document.createElementNS(svgNs, 'foreignObject')
  tools.innerHTML = ''
  const box = document.createElementNS(htmlNs, 'div')
  box.id = 'tools'
  const status = document.createElementNS(htmlNs, 'span')
  const input = document.createElementNS(htmlNs, 'input')
  input.type = 'search'
  input.placeholder = 'search: text or /pattern/'
  input.setAttribute('aria-label', 'search')
  box.append(status, input)
  tools.append(box)
  svg.append(tools)
  const hintText = document.createElementNS(svgNs, 'text')
  hintText.textContent = hint
  hintText.setAttribute('text-anchor', 'end')
  svg.append(hintText)

  function draw() {
    const isWindow = document.documentElement === svg
    width = Math.max(480, isWindow ? window.innerWidth : svg.clientWidth || 1200)
    svg.setAttribute('viewBox', '0 0 ' + width + ' ' + height)
    svg.setAttribute('width', width)
    for (const [name, value] of [['x', width - 460 - margin], ['y', margin - 4], ['width', 460], ['height', 24]])
      tools.setAttribute(name, value)
    hintText.setAttribute('x', width - margin)
    hintText.setAttribute('y', height - margin)
    hintText.style.display = width > 1500 ? '' : 'none'
    const scale = (width - 2 * margin) / Math.max(zoomed.value, Number.MIN_VALUE)
    const around = new Set()
    for (let frame = zoomed.parent; frame !== undefined; frame = frame.parent) around.add(frame)
    for (const frame of frames) {
      const isAround = around.has(frame)
      const isShown = isAround || (frame.x >= zoomed.x && frame.level >= zoomed.level &&
        frame.x + frame.value <= zoomed.x + zoomed.value && frame.x < zoomed.x + zoomed.value)
      frame.left = isAround ? margin : margin + (frame.x - zoomed.x) * scale
      frame.width = isShown ? (isAround ? width - 2 * margin : frame.value * scale) : 0
      drawFrame(frame, isAround)
    }
    tell()
  }

  function drawFrame(frame, isAround) {
    const { rect, text } = frame
    const isVisible = frame.width > 0
    rect.style.display = isVisible ? '' : 'none'
    const room = isVisible ? Math.floor((frame.width - 6) / characterWidth) : 0
    text.style.display = room < 3 ? 'none' : ''
    if (!isVisible) return
    const y = top + (icicle ? frame.level : levels - 1 - frame.level) * rowHeight
    rect.setAttribute('x', frame.left)
    rect.setAttribute('width', frame.width)
    rect.setAttribute('y', y)
    rect.classList.toggle('around', isAround)
    rect.classList.toggle('found', frame.found)
    rect.classList.toggle('focus', frame === focus)
    if (room < 3) return
    const characters = [...frame.name]
    text.textContent = characters.length > room ? characters.slice(0, room - 1).join('') + '…' : frame.name
    text.setAttribute('x', frame.left + 3)
    text.setAttribute('y', y + baseline)
  }

  function amount(value) {
    if (unit !== 'ns') return value + ' ' + unit
    for (const [name, size, limit] of [['ns', 1, 1e3], ['us', 1e3, 1e6], ['ms', 1e6, 1e9], ['s', 1e9, 6e10]])
      if (value < limit) return (value / size).toFixed(name === 'ns' ? 0 : 3) + ' ' + name
    return (value / 6e10).toFixed(3) + ' m'
  }

  const percent = (part, whole) => ((100 * part) / Math.max(whole, Number.MIN_VALUE)).toFixed(2) + ' %'
  const plural = (count, noun) => count + ' ' + noun + (count === 1 ? '' : 's')

  function describe(frame) {
    const isFunction = frame.module !== ''
    const parts = [amount(frame.value) + ', ' + percent(frame.value, total)]
    if (zoomed !== root && frame.value <= zoomed.value) parts.push(percent(frame.value, zoomed.value) + ' of the zoomed')
    if (frame.self !== frame.value && isFunction) parts.push('self ' + amount(frame.self))
    if (unit !== 'calls' && isFunction) parts.push(plural(frame.calls, 'call'))
    if (frame.atLeast > 0) parts.push(plural(frame.atLeast, 'call') + ' cut: at least')
    if (frame.atMost > 0) parts.push(plural(frame.atMost, 'call') + ' without a seen return: at most')
    // Last, for it may be longer than the line.
    parts.push(isFunction ? frame.name + ' [' + frame.module + ']' : frame.name)
    return parts.join(' · ')
  }

  function tell() {
    details.textContent = describe(hovered ?? focus ?? zoomed)
    hintText.style.display = width > 1500 || details.textContent.length < 50 && width > 1100 ? '' : 'none'
  }

  function zoom(frame) {
    zoomed = frame
    focus = frame === root ? focus : frame
    draw()
  }

  function moveTo(frame) {
    if (frame === undefined) return
    const before = focus
    focus = frame
    hovered = undefined
    if (frame.width === 0) zoom(commonWith(frame))
    if (before !== undefined) before.rect.classList.remove('focus')
    frame.rect.classList.add('focus')
    frame.rect.parentNode.append(frame.rect)
    const view = frame.rect.getBoundingClientRect()
    if (view.top < 0 || view.bottom > window.innerHeight) frame.rect.scrollIntoView({ block: 'center' })
    tell()
  }

  /** The nearest frame around the zoomed one that also holds this one. */
  function commonWith(frame) {
    const chain = new Set()
    for (let at = frame; at !== undefined; at = at.parent) chain.add(at)
    let at = zoomed
    while (!chain.has(at)) at = at.parent
    return at
  }

  function neighbour(step) {
    if (focus === undefined) return zoomed
    for (let index = focus.index + step; index >= 0 && index < frames.length; index += step)
      if (frames[index].level === focus.level && frames[index].width > 0) return frames[index]
    return undefined
  }

  function outwards() {
    return focus === undefined ? zoomed : focus.parent
  }

  function inwards() {
    if (focus === undefined) return zoomed
    const next = frames[focus.index + 1]
    return next !== undefined && next.level === focus.level + 1 ? next : undefined
  }

  function search() {
    const text = input.value
    const written = /^\/(.*)\/$/.exec(text)
    pattern = undefined
    let fault = ''
    try {
      if (written !== null) pattern = new RegExp(written[1], 'i')
      else if (text !== '') pattern = { test: (name) => name.toLowerCase().includes(text.toLowerCase()) }
    } catch (error) {
      fault = 'not a pattern'
    }
    let value = 0
    let count = 0
    let coveredUntil = -1
    for (const frame of frames) {
      frame.found = pattern !== undefined && pattern.test(frame.name)
      if (!frame.found) continue
      count += 1
      // A match on a match weighs nothing more.
      if (frame.x >= coveredUntil) {
        value += frame.value
        coveredUntil = frame.x + frame.value
      }
    }
    status.textContent = fault !== '' ? fault : pattern === undefined ? '' : plural(count, 'match').replace('matchs', 'matches') + ', ' + percent(value, total)
    draw()
  }

  function nextMatch(step) {
    const from = focus === undefined ? (step > 0 ? -1 : frames.length) : focus.index
    for (let turn = 1; turn <= frames.length; turn += 1) {
      const frame = frames[(((from + step * turn) % frames.length) + frames.length) % frames.length]
      if (frame.found) return frame
    }
    return undefined
  }

  const frameAt = (event) => event.target.frame
  find('frames').addEventListener('mouseover', (event) => {
    hovered = frameAt(event)
    tell()
  })
  find('frames').addEventListener('mouseout', () => {
    hovered = undefined
    tell()
  })
  find('frames').addEventListener('click', (event) => zoom(frameAt(event)))
  input.addEventListener('input', search)
  input.addEventListener('keydown', (event) => {
    event.stopPropagation()
    if (event.key === 'Enter') moveTo(nextMatch(event.shiftKey ? -1 : 1))
    else if (event.key === 'Escape') {
      input.value = ''
      search()
      input.blur()
    }
  })

  const keys = {
    ArrowUp: () => moveTo(icicle ? outwards() : inwards()),
    ArrowDown: () => moveTo(icicle ? inwards() : outwards()),
    ArrowLeft: () => moveTo(neighbour(-1)),
    ArrowRight: () => moveTo(neighbour(1)),
    Home: () => moveTo(root),
    Enter: () => zoom(focus ?? root),
    ' ': () => zoom(focus ?? root),
    Backspace: () => zoom(zoomed.parent ?? root),
    Escape: () => {
      if (zoomed === root) focus = undefined
      zoom(root)
    },
    '/': () => input.focus(),
    n: () => moveTo(nextMatch(1)),
    N: () => moveTo(nextMatch(-1)),
    i: () => {
      icicle = !icicle
      draw()
    },
  }
  window.addEventListener('keydown', (event) => {
    const wantsSearch = event.key === 'F3' || (event.key === 'f' && (event.ctrlKey || event.metaKey))
    const act = wantsSearch ? keys['/'] : event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key]
    if (act === undefined) return
    event.preventDefault()
    act()
  })
  window.addEventListener('resize', draw)
  draw()
  svg.setAttribute('data-ready', 'true')
})()
`
