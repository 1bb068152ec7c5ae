// SPDX-License-Identifier: MPL-2.0
//
// Heads of columns that sort.

const body = document.querySelector("tbody");
const heads = [...document.querySelectorAll("thead th")];
// As a reader would sort names: 2 before 10.
const names = new Intl.Collator(undefined, { numeric: true });

// What a cell sorts by: a number, a text, or null where there is nothing.
function value(row, column) {
    const { value } = row.cells[column].dataset;
    if (value === undefined || value === "") return null;
    return column > 0 && !Number.isNaN(Number(value)) ? Number(value) : value;
}

function compare(a, b) {
    return typeof a === "number" && typeof b === "number" ? a - b : names.compare(a, b);
}

function sort(column) {
    const head = heads[column];
    const ascends = head.ariaSort !== "ascending";
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", ascends ? "ascending" : "descending");
    const rows = [...body.rows].map((row) => ({ row, value: value(row, column) }));
    rows.sort((a, b) => {
        // Nothing comes last, whichever way.
        if (a.value === null || b.value === null) return (a.value === null) - (b.value === null);
        return ascends ? compare(a.value, b.value) : compare(b.value, a.value);
    });
    body.append(...rows.map(({ row }) => row));
}

heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(column));
    head.append(button);
});
