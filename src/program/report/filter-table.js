// SPDX-License-Identifier: MPL-2.0
//
// Shows only the recordings that match the search and the selected attitude.

const form = /** @type {HTMLFormElement} */ (document.querySelector("#filter"));
const search = /** @type {HTMLInputElement} */ (form.querySelector("[type=search]"));
const attitude = /** @type {HTMLSelectElement} */ (form.querySelector("select"));
const count = /** @type {HTMLOutputElement} */ (form.querySelector("output"));
const rows = /** @type {HTMLTableRowElement[]} */ ([...document.querySelectorAll("table.index tbody tr")]);

function filter() {
    const words = search.value.toLowerCase().split(/\s+/);
    for (const row of rows) {
        const { search: text = "", attitude: most = "" } = row.dataset;
        const isFound = words.every((word) => text.toLowerCase().includes(word));
        row.hidden = !isFound || (attitude.value !== "" && attitude.value !== most);
    }
    const shown = rows.filter((row) => !row.hidden).length;
    count.textContent = shown === rows.length ? "" : `${shown} of ${rows.length} recordings`;
}

form.hidden = false;
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    form.reset();
    filter();
});
// A browser may have kept what was typed before the page was reloaded.
filter();
