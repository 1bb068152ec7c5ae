// SPDX-License-Identifier: MPL-2.0
//
// Shows the list of keys.

const dialog = /** @type {HTMLDialogElement} */ (document.querySelector("#keyboard-help"));

function showKeys() {
    if (!dialog.open) dialog.showModal();
}

document.querySelector("#show-keys")?.addEventListener("click", showKeys);
dialog.querySelector("button")?.addEventListener("click", () => dialog.close());
addEventListener("keydown", (event) => {
    const isTyping = event.target instanceof Element && event.target.closest("input, textarea, select");
    if (event.key !== "?" || event.altKey || event.ctrlKey || event.metaKey || isTyping) return;
    event.preventDefault();
    showKeys();
});
