// SPDX-License-Identifier: MPL-2.0
//
// Typed access to elements of the page.

/**
 * Returns the element that matches a selector. Throws if there is none of that type.
 * @template {Element} T
 * @param {string} selector
 * @param {new () => T} type
 * @returns {T}
 */
export function query(selector, type) {
    const element = document.querySelector(selector);
    if (element instanceof type) return element;
    throw new Error(`the page has no ${type.name} ${selector}`);
}

/**
 * Creates an element.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string} className
 * @param {string} text
 * @returns {HTMLElementTagNameMap[T]}
 */
export function create(tag, className = "", text = "") {
    const element = document.createElement(tag);
    element.className = className;
    element.textContent = text;
    return element;
}

/**
 * Sets an element's text unless it is the same: screen readers would announce it again.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
    if (element.textContent !== text) element.textContent = text;
}

/**
 * Returns a canvas's context for 2D drawing.
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [options]
 */
export function context2d(canvas, options) {
    const context = canvas.getContext("2d", options);
    if (!context) throw new Error("this browser cannot draw on a canvas");
    return context;
}
