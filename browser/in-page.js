/** Functions that run in the page. Each is sent there as its text, and so uses nothing from outside of it. */

/** Whether something is drawn in a canvas. */
export function hasPixels(selector) {
  const canvas = document.querySelector(selector)
  return canvas
    .getContext('2d')
    .getImageData(0, 0, canvas.width, canvas.height)
    .data.some((value) => value !== 0)
}

/** Pixels by which the page is wider than the window. */
export function sidewaysOverflow() {
  return document.documentElement.scrollWidth - document.documentElement.clientWidth
}

/** The least contrast between text and its background (WCAG 2.2, 1.4.3), over all elements that have text of their own. */
export function leastContrast() {
  const channels = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number)
  const luminance = (colour) => {
    const [red, green, blue] = channels(colour)
      .slice(0, 3)
      .map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const behind = (element) => {
    if (element === null) return 'rgb(255, 255, 255)'
    const { backgroundColor } = getComputedStyle(element)
    return channels(backgroundColor)[3] === 0 ? behind(element.parentElement) : backgroundColor
  }
  const isText = (node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim() !== ''
  const contrasts = [...document.querySelectorAll('body *')]
    .filter((element) => [...element.childNodes].some(isText) && element.getClientRects().length > 0)
    .map((element) => [luminance(getComputedStyle(element).color), luminance(behind(element))].sort((a, b) => b - a))
    .map(([light, dark]) => (light + 0.05) / (dark + 0.05))
  return Math.min(...contrasts)
}
