// SPDX-License-Identifier: MPL-2.0

// Makes what mdBook's pages have for the pointer accessible by keyboard and screen reader.

// The button that shows and hides the list of pages is a label, which no key reaches.
const label = document.getElementById("mdbook-sidebar-toggle");
const checkbox = document.getElementById("mdbook-sidebar-toggle-anchor");
const button = document.createElement("button");
button.type = "button";
button.className = label.className;
button.title = label.title;
button.setAttribute("aria-label", label.title);
button.setAttribute("aria-controls", "mdbook-sidebar");
button.append(...label.childNodes);
const showState = () => button.setAttribute("aria-expanded", String(checkbox.checked));
button.addEventListener("click", () => checkbox.click());
checkbox.addEventListener("change", showState);
showState();
label.style.display = "none";
label.after(button);
document.getElementById("mdbook-menu-bar").setAttribute("role", "banner");

// Wide tables and lines of code are scrolled by keyboard, too.
for (const region of document.querySelectorAll(".table-wrapper, main pre code")) {
    new ResizeObserver(() => {
        if (region.scrollWidth > region.clientWidth) {
            region.tabIndex = 0;
        } else {
            region.removeAttribute("tabindex");
        }
    }).observe(region);
}
