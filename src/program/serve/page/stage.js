// SPDX-License-Identifier: MPL-2.0
//
// The picture with its boxes and labels, and faces hidden where that is asked for.

import { SIGNS } from "./attitudes.js";
import { score } from "./text.js";

/** Heads are larger than the boxes of faces: so much is hidden on each side, as `attitudeoverlay` does. */
const MARGIN = 0.25;

/** Blocks across the longer side of a hidden face. */
const BLOCKS = 8;

/** A picture with hidden faces stands for so long where the next one's faces are not known. */
const STANDING_MS = 500;

/** More pixels than these bring nothing. */
const MAX_PIXEL_RATIO = 2;

export class Stage {
    #root = document.querySelector("#stage");
    #canvas = document.querySelector("#canvas");
    #blind = document.querySelector("#blind");
    #context = this.#canvas.getContext("2d");
    #blocks = document.createElement("canvas").getContext("2d");
    #palette;
    #drawsPicture;
    #isHiding = false;
    #picture = null;
    #hid_ms = -Infinity;
    #ratio = 1;

    /**
     * @param {import("./attitudes.js").Palette} palette
     * @param {boolean} drawsPicture whether the canvas shows the picture, or lies over a video that does
     */
    constructor(palette, drawsPicture) {
        [this.#palette, this.#drawsPicture] = [palette, drawsPicture];
        this.#root.classList.toggle("drawn", drawsPicture);
        new ResizeObserver(() => this.#fit()).observe(this.#root);
    }

    /** Whether faces are hidden. */
    get isHiding() {
        return this.#isHiding;
    }

    set isHiding(on) {
        this.#isHiding = on;
        this.#hid_ms = -Infinity;
        this.#root.classList.toggle("hiding", on);
        if (!on) this.#blind.hidden = true;
        this.#redraw();
    }

    /**
     * Shows a picture.
     * @param {import("./frames.js").Picture} picture
     */
    show(picture) {
        this.#picture = picture;
        const { width, height } = sizeOf(picture.image);
        if (width > 0 && width / height !== this.#ratio) {
            this.#ratio = width / height;
            this.#root.style.setProperty("--ratio", String(this.#ratio));
        }
        this.#draw();
    }

    /** Shows no boxes until there is another picture. */
    forget() {
        if (this.#picture) this.show({ ...this.#picture, record: null, isExact: false });
    }

    /** Shows nothing. */
    clear() {
        this.#picture = null;
        this.#blind.hidden = true;
        this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
        this.#tell(null);
    }

    #fit() {
        const scale = Math.min(devicePixelRatio, MAX_PIXEL_RATIO);
        const width = Math.round(this.#root.clientWidth * scale);
        const height = Math.round(this.#root.clientHeight * scale);
        if (width === this.#canvas.width && height === this.#canvas.height) return;
        Object.assign(this.#canvas, { width, height });
        this.#redraw();
    }

    /** The same picture. A video may have gone on, and show faces where none were. */
    #redraw() {
        if (this.#isHiding && this.#picture?.image instanceof HTMLVideoElement) this.#hideAll();
        else this.#draw();
    }

    #draw() {
        if (!this.#picture) return;
        const { image, record, isExact } = this.#picture;
        if (this.#isHiding && !(record && isExact)) {
            if (performance.now() - this.#hid_ms > STANDING_MS) this.#hideAll();
            return;
        }
        const { width, height } = this.#canvas;
        const context = this.#context;
        if (this.#drawsPicture || this.#isHiding) context.drawImage(image, 0, 0, width, height);
        else context.clearRect(0, 0, width, height);
        if (this.#isHiding) {
            for (const face of record.faces) this.#hide(face.box, image, record);
            this.#hid_ms = performance.now();
            this.#blind.hidden = true;
        }
        this.#outline(record);
    }

    /** The whole picture, for want of something better. */
    #hideAll() {
        this.#context.fillStyle = "#000000";
        this.#context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
        this.#blind.hidden = false;
        this.#tell(null);
    }

    #hide([left, top, width, height], image, record) {
        const { width: imageWidth, height: imageHeight } = sizeOf(image);
        const [scaleX, scaleY] = [imageWidth / record.width, imageHeight / record.height];
        const x = Math.max((left - MARGIN * width) * scaleX, 0);
        const y = Math.max((top - MARGIN * height) * scaleY, 0);
        const across = Math.min((left + width + MARGIN * width) * scaleX, imageWidth) - x;
        const down = Math.min((top + height + MARGIN * height) * scaleY, imageHeight) - y;
        if (!(across > 0 && down > 0)) return;
        const block = Math.max(across, down) / BLOCKS;
        const [columns, rows] = [Math.max(Math.round(across / block), 1), Math.max(Math.round(down / block), 1)];
        const blocks = this.#blocks;
        Object.assign(blocks.canvas, { width: columns, height: rows });
        blocks.imageSmoothingQuality = "high";
        blocks.drawImage(image, x, y, across, down, 0, 0, columns, rows);
        const context = this.#context;
        const [toX, toY] = [this.#canvas.width / imageWidth, this.#canvas.height / imageHeight];
        context.imageSmoothingEnabled = false;
        context.drawImage(blocks.canvas, 0, 0, columns, rows, x * toX, y * toY, across * toX, down * toY);
        context.imageSmoothingEnabled = true;
    }

    #outline(record) {
        for (const face of record?.faces ?? []) this.#outlineFace(face, record);
        this.#tell(record);
    }

    #outlineFace({ track, box, attitude, confidence }, record) {
        const context = this.#context;
        const [scaleX, scaleY] = [this.#canvas.width / record.width, this.#canvas.height / record.height];
        const [x, y, width, height] = [box[0] * scaleX, box[1] * scaleY, box[2] * scaleX, box[3] * scaleY];
        const unit = this.#canvas.width / Math.max(this.#root.clientWidth, 1);
        for (const [style, line] of [["rgb(0 0 0 / 0.55)", 5], [this.#palette.color(attitude), 2.5]]) {
            context.strokeStyle = style;
            context.lineWidth = line * unit;
            context.strokeRect(x, y, width, height);
        }
        const certainty = attitude === "unknown" ? "" : ` ${score(confidence)}`;
        this.#label(`${track} ${attitude}${certainty}`, attitude, x, y, height, unit);
    }

    /** Under a box, or where there is room. */
    #label(text, attitude, x, y, height, unit) {
        const context = this.#context;
        const letters = Math.min(Math.max(this.#root.clientWidth / 50, 12), 17) * unit;
        const [row, pad] = [1.5 * letters, 0.4 * letters];
        context.font = `600 ${letters}px system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif`;
        const width = row + context.measureText(text).width + 2 * pad;
        const below = y + height + 4 * unit;
        const above = y - row - 4 * unit;
        const top = below + row <= this.#canvas.height ? below : Math.max(above, 0);
        const left = Math.max(Math.min(x, this.#canvas.width - width), 0);
        context.fillStyle = "rgb(0 0 0 / 0.65)";
        context.fillRect(left, top, width, row);
        context.fillStyle = this.#palette.color(attitude);
        context.fillRect(left, top, row, row);
        context.textBaseline = "middle";
        context.textAlign = "center";
        context.fillStyle = this.#palette.color("on-color");
        context.fillText(SIGNS[attitude], left + row / 2, top + row / 2);
        context.textAlign = "left";
        context.fillStyle = "#f5f5f5";
        context.fillText(text, left + row + pad, top + row / 2);
    }

    /** What was drawn, in pixels of the frame: for scripts and tests. */
    #tell(record) {
        const boxes = (record?.faces ?? []).map(({ track, box, attitude }) => ({ track, box, attitude }));
        this.#root.dataset.boxes = JSON.stringify(boxes);
        this.#root.dataset.frameWidth = record?.width ?? "";
        this.#root.dataset.frameHeight = record?.height ?? "";
    }
}

function sizeOf(image) {
    return image instanceof HTMLVideoElement
        ? { width: image.videoWidth, height: image.videoHeight }
        : { width: image.width, height: image.height };
}
