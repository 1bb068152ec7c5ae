// SPDX-License-Identifier: MPL-2.0
//
// Ties timelines and recording together: each timeline becomes a slider that moves the recording, and
// shows where it is.

const video = document.querySelector("video");
const position = document.querySelector("#position");
const step = Number(document.querySelector("main").dataset.step);
const timelines = [...document.querySelectorAll(".timeline")].map(read);
const start = timelines[0].start;
const end = timelines[0].end;

// Where the recording is, or would be if it could be played; in seconds.
let now = start;
// The whole second that screen readers were told last.
let told = null;
// Until the playhead moves on.
let frame = 0;

function read(element) {
    const { start, end, spells } = element.dataset;
    const words = spells.split(" ");
    const spell = (_, index) => ({
        start: Number(words[3 * index]),
        end: Number(words[3 * index + 1]),
        attitude: words[3 * index + 2],
    });
    return {
        element,
        start: Number(start),
        end: Number(end),
        spells: Array.from({ length: Math.floor(words.length / 3) }, spell),
        playhead: element.querySelector(".playhead"),
        now: element.parentElement.querySelector(".now"),
    };
}

function clock(seconds) {
    const whole = Math.floor(seconds);
    const padded = (number) => String(number).padStart(2, "0");
    const minutes = Math.floor(whole / 60) % 60;
    const hours = Math.floor(whole / 3600);
    const rest = padded(whole % 60);
    return hours ? `${hours}:${padded(minutes)}:${rest}` : `${minutes}:${rest}`;
}

// The attitude at a time, or null while there is none.
function attitude(spells, seconds) {
    let [low, high] = [0, spells.length];
    while (low < high) {
        const middle = (low + high) >> 1;
        if (spells[middle].end <= seconds) low = middle + 1;
        else high = middle;
    }
    const spell = spells[low];
    return spell && spell.start <= seconds ? spell.attitude : null;
}

function show(seconds) {
    now = seconds;
    const place = Math.min(Math.max((now - start) / (end - start), 0), 1);
    for (const { playhead } of timelines) playhead.style.transform = `translateX(${100 * place}%)`;
    if (position) position.textContent = `${clock(now)}.${Math.floor(now * 10) % 10}`;
    // Not for each frame: it is read aloud, and costs more.
    if (told !== Math.floor(now)) tell();
}

function tell() {
    told = Math.floor(now);
    for (const timeline of timelines) {
        const seen = attitude(timeline.spells, now) ?? "not seen";
        const { element } = timeline;
        element.setAttribute("aria-valuenow", String(Math.min(Math.max(now, start), end)));
        element.setAttribute("aria-valuetext", `${clock(now)} of ${clock(end)}, ${seen}`);
        const label = timeline.now.querySelector(".attitude");
        label.className = `attitude ${seen === "not seen" ? "gap" : seen}`;
        label.textContent = seen;
    }
}

function seek(seconds) {
    const last = Math.max(end, video?.duration || 0);
    const target = Math.min(Math.max(seconds, 0), last);
    told = null;
    if (video) video.currentTime = target;
    show(target);
}

function follow() {
    // While it seeks, the recording is still elsewhere.
    if (!video.seeking) show(video.currentTime);
    cancelAnimationFrame(frame);
    if (!video.paused) frame = requestAnimationFrame(follow);
}

function key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const targets = {
        ArrowRight: now + step,
        ArrowUp: now + step,
        ArrowLeft: now - step,
        ArrowDown: now - step,
        PageUp: now + 10 * step,
        PageDown: now - 10 * step,
        Home: start,
        End: end,
    };
    if (event.key in targets) {
        event.preventDefault();
        seek(Math.min(Math.max(targets[event.key], start), end));
    }
}

function drag(element, event) {
    const { left, width } = element.getBoundingClientRect();
    const place = Math.min(Math.max((event.clientX - left) / width, 0), 1);
    seek(start + place * (end - start));
}

function makeSlider({ element, playhead, now }) {
    element.setAttribute("role", "slider");
    element.setAttribute("aria-valuemin", String(start));
    element.setAttribute("aria-valuemax", String(end));
    element.tabIndex = 0;
    element.addEventListener("keydown", key);
    element.addEventListener("pointerdown", (event) => {
        if (event.button === 0) {
            element.setPointerCapture(event.pointerId);
            drag(element, event);
        }
    });
    element.addEventListener("pointermove", (event) => {
        if (element.hasPointerCapture(event.pointerId)) drag(element, event);
    });
    playhead.hidden = false;
    now.hidden = false;
}

// The seconds in an address such as #t=12.5, or null.
function moment(hash) {
    const found = /^#t=(\d+(?:\.\d+)?)$/.exec(hash);
    return found && Number(found[1]);
}

function followLink(event) {
    const link = event.target.closest("a[href^='#t=']");
    const seconds = link && moment(link.getAttribute("href"));
    if (seconds !== null && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
        event.preventDefault();
        history.replaceState(null, "", link.getAttribute("href"));
        seek(seconds);
    }
}

timelines.forEach(makeSlider);
document.addEventListener("click", followLink);
addEventListener("hashchange", () => {
    const seconds = moment(location.hash);
    if (seconds !== null) seek(seconds);
});
if (video) {
    const fail = () => (document.querySelector("#unplayable").hidden = false);
    for (const event of ["play", "seeked", "timeupdate"]) video.addEventListener(event, follow);
    video.addEventListener("error", fail);
    // It may have failed before there was anybody to hear of it.
    if (video.error) fail();
}
const linked = moment(location.hash);
if (linked === null) show(start);
else seek(linked);
