// SPDX-License-Identifier: MPL-2.0
//
// Sorts the table of recordings by the column whose heading is selected.

/** @typedef {number | string | null} Value */

const table = /** @type {HTMLTableElement} */ (document.querySelector("table"));
const [body] = table.tBodies;
const headings = [...table.querySelectorAll("th[scope=col]")];
/** Compares numbers in texts by their value: 2 before 10. */
const collator = new Intl.Collator(undefined, { numeric: true });

/**
 * Returns the value that a row is sorted by: a number, a text, or null if the cell is empty.
 * @param {HTMLTableRowElement} row
 * @param {number} column
 * @returns {Value}
 */
function sortValue(row, column) {
    const { value } = row.cells[column].dataset;
    if (value === undefined || value === "") return null;
    return column > 0 && !Number.isNaN(Number(value)) ? Number(value) : value;
}

/**
 * Compares two values; empty ones are last in any direction.
 * @param {Value} a
 * @param {Value} b
 * @param {1 | -1} direction
 */
function compare(a, b, direction) {
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    const isNumeric = typeof a === "number" && typeof b === "number";
    return direction * (isNumeric ? a - b : collator.compare(String(a), String(b)));
}

/** @param {number} column */
function sortBy(column) {
    const isAscending = headings[column].ariaSort !== "ascending";
    for (const heading of headings) heading.removeAttribute("aria-sort");
    headings[column].setAttribute("aria-sort", isAscending ? "ascending" : "descending");
    const rows = [...body.rows].map((row) => ({ row, value: sortValue(row, column) }));
    rows.sort((a, b) => compare(a.value, b.value, isAscending ? 1 : -1));
    body.append(...rows.map(({ row }) => row));
}

for (const [column, heading] of headings.entries()) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sortBy(column));
    heading.append(button);
}
