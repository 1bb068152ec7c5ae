// SPDX-License-Identifier: MPL-2.0
//
// Draws frames with the boxes and labels of their faces, and hides faces on request.

import { SIGNS } from "./attitudes.js";
import { context2d, create, query } from "./dom.js";
import { formatScore } from "./text.js";

/** @import { Palette } from "./attitudes.js" */
/** @import { Attitude, Box, FrameImage, FrameRecord, PersonFrame, ShownFrame } from "./types.js" */

/** The fraction of a box's size that is hidden around it, because heads are larger; `attitudeoverlay` has the same. */
const HIDE_MARGIN = 0.25;

/** The number of blocks across the longer side of a hidden face. */
const HIDE_BLOCKS = 8;

/** Time for which a frame with hidden faces stays if later frames have no exact record. */
const MAX_HIDDEN_FRAME_MS = 500;

/** Maximum pixels of the canvas per CSS pixel. */
const MAX_PIXEL_RATIO = 2;

export class VideoView {
    #root = query("#video-view", HTMLElement);
    #canvas = query("#canvas", HTMLCanvasElement);
    #hiddenNotice = query("#hidden-notice", HTMLElement);
    #context = context2d(this.#canvas);
    #blocks = context2d(create("canvas"));
    #palette;
    #drawsFrames;
    #hidesFaces = false;
    /** @type {ShownFrame | null} */
    #frame = null;
    /** When a frame with hidden faces was drawn. */
    #hidden_ms = -Infinity;
    #aspectRatio = 1;

    /**
     * @param {Palette} palette
     * @param {boolean} drawsFrames true if the canvas shows the frames itself, false if it covers a video that does
     */
    constructor(palette, drawsFrames) {
        this.#palette = palette;
        this.#drawsFrames = drawsFrames;
        this.#root.classList.toggle("draws-frames", drawsFrames);
        new ResizeObserver(() => this.#resize()).observe(this.#root);
    }

    get hidesFaces() {
        return this.#hidesFaces;
    }

    set hidesFaces(isOn) {
        this.#hidesFaces = isOn;
        this.#hidden_ms = -Infinity;
        this.#root.classList.toggle("hides-faces", isOn);
        if (!isOn) this.#hiddenNotice.hidden = true;
        this.#redraw();
    }

    /**
     * Shows a frame.
     * @param {ShownFrame} frame
     */
    show(frame) {
        this.#frame = frame;
        const { width, height } = sizeOf(frame.image);
        if (width > 0 && width / height !== this.#aspectRatio) {
            this.#aspectRatio = width / height;
            this.#root.style.setProperty("--aspect-ratio", String(this.#aspectRatio));
        }
        this.#draw();
    }

    /** Removes the boxes until the next frame. */
    removeBoxes() {
        if (this.#frame) this.show({ ...this.#frame, record: null, isExact: false });
    }

    /** Removes the frame. */
    clear() {
        this.#frame = null;
        this.#hiddenNotice.hidden = true;
        this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
        this.#publish(null);
    }

    #resize() {
        const scale = Math.min(devicePixelRatio, MAX_PIXEL_RATIO);
        const width = Math.round(this.#root.clientWidth * scale);
        const height = Math.round(this.#root.clientHeight * scale);
        if (width === this.#canvas.width && height === this.#canvas.height) return;
        Object.assign(this.#canvas, { width, height });
        this.#redraw();
    }

    /** Draws the same frame again. A video may show a later one, whose faces are at other positions. */
    #redraw() {
        if (this.#hidesFaces && this.#frame?.image instanceof HTMLVideoElement) this.#hideFrame();
        else this.#draw();
    }

    #draw() {
        if (!this.#frame) return;
        const { image, record, isExact } = this.#frame;
        const { width, height } = this.#canvas;
        const context = this.#context;
        if (this.#hidesFaces) {
            if (!record || !isExact) {
                if (performance.now() - this.#hidden_ms > MAX_HIDDEN_FRAME_MS) this.#hideFrame();
                return;
            }
            context.drawImage(image, 0, 0, width, height);
            for (const face of record.faces) this.#hideFace(face.box, image, record);
            this.#hidden_ms = performance.now();
            this.#hiddenNotice.hidden = true;
        } else if (this.#drawsFrames) {
            context.drawImage(image, 0, 0, width, height);
        } else {
            context.clearRect(0, 0, width, height);
        }
        if (record) {
            for (const face of record.faces) this.#drawFace(face, record);
        }
        this.#publish(record);
    }

    /** Hides the whole frame, because the positions of its faces are not known. */
    #hideFrame() {
        this.#context.fillStyle = "#000000";
        this.#context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
        this.#hiddenNotice.hidden = false;
        this.#publish(null);
    }

    /**
     * Draws coarse blocks over a face.
     * @param {Box} box
     * @param {FrameImage} image
     * @param {FrameRecord} record
     */
    #hideFace([left, top, width, height], image, record) {
        const { width: imageWidth, height: imageHeight } = sizeOf(image);
        const [scaleX, scaleY] = [imageWidth / record.width, imageHeight / record.height];
        const x = Math.max((left - HIDE_MARGIN * width) * scaleX, 0);
        const y = Math.max((top - HIDE_MARGIN * height) * scaleY, 0);
        const hiddenWidth = Math.min((left + width + HIDE_MARGIN * width) * scaleX, imageWidth) - x;
        const hiddenHeight = Math.min((top + height + HIDE_MARGIN * height) * scaleY, imageHeight) - y;
        if (!(hiddenWidth > 0 && hiddenHeight > 0)) return;
        const block = Math.max(hiddenWidth, hiddenHeight) / HIDE_BLOCKS;
        const columns = Math.max(Math.round(hiddenWidth / block), 1);
        const rows = Math.max(Math.round(hiddenHeight / block), 1);
        const blocks = this.#blocks;
        Object.assign(blocks.canvas, { width: columns, height: rows });
        blocks.imageSmoothingQuality = "high";
        blocks.drawImage(image, x, y, hiddenWidth, hiddenHeight, 0, 0, columns, rows);
        const context = this.#context;
        const [toX, toY] = [this.#canvas.width / imageWidth, this.#canvas.height / imageHeight];
        context.imageSmoothingEnabled = false;
        const target = /** @type {const} */ ([x * toX, y * toY, hiddenWidth * toX, hiddenHeight * toY]);
        context.drawImage(blocks.canvas, 0, 0, columns, rows, ...target);
        context.imageSmoothingEnabled = true;
    }

    /**
     * Draws a face's box and label.
     * @param {PersonFrame["faces"][number]} face
     * @param {FrameRecord} record
     */
    #drawFace({ person, box, attitude, confidence }, record) {
        const context = this.#context;
        const [scaleX, scaleY] = [this.#canvas.width / record.width, this.#canvas.height / record.height];
        const [x, y, width, height] = [box[0] * scaleX, box[1] * scaleY, box[2] * scaleX, box[3] * scaleY];
        const unit = this.#canvas.width / Math.max(this.#root.clientWidth, 1);
        const outline = (/** @type {string} */ color, /** @type {number} */ lineWidth) => {
            context.strokeStyle = color;
            context.lineWidth = lineWidth * unit;
            context.strokeRect(x, y, width, height);
        };
        outline("rgb(0 0 0 / 0.55)", 5);
        outline(this.#palette.color(attitude), 2.5);
        const score = attitude === "unknown" ? "" : ` ${formatScore(confidence)}`;
        this.#drawLabel(`${person ?? ""} ${attitude}${score}`.trim(), attitude, x, y, height, unit);
    }

    /**
     * Draws a label below a box or, if there is no room, above it.
     * @param {string} text
     * @param {Attitude} attitude
     * @param {number} x of the box
     * @param {number} y of the box
     * @param {number} height of the box
     * @param {number} unit a CSS pixel
     */
    #drawLabel(text, attitude, x, y, height, unit) {
        const context = this.#context;
        const fontSize = Math.min(Math.max(this.#root.clientWidth / 50, 12), 17) * unit;
        const [lineHeight, padding] = [1.5 * fontSize, 0.4 * fontSize];
        context.font = `600 ${fontSize}px system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif`;
        const width = lineHeight + context.measureText(text).width + 2 * padding;
        const below = y + height + 4 * unit;
        const above = y - lineHeight - 4 * unit;
        const top = below + lineHeight <= this.#canvas.height ? below : Math.max(above, 0);
        const left = Math.max(Math.min(x, this.#canvas.width - width), 0);
        context.fillStyle = "rgb(0 0 0 / 0.65)";
        context.fillRect(left, top, width, lineHeight);
        context.fillStyle = this.#palette.color(attitude);
        context.fillRect(left, top, lineHeight, lineHeight);
        context.textBaseline = "middle";
        context.textAlign = "center";
        context.fillStyle = this.#palette.color("on-attitude");
        context.fillText(SIGNS[attitude], left + lineHeight / 2, top + lineHeight / 2);
        context.textAlign = "left";
        context.fillStyle = "#f5f5f5";
        context.fillText(text, left + lineHeight + padding, top + lineHeight / 2);
    }

    /**
     * Publishes in data attributes, for scripts and tests, what was drawn; in pixels of the frame.
     * @param {PersonFrame | null} record
     */
    #publish(record) {
        const boxes = (record?.faces ?? []).map(({ person, box, attitude }) => ({ person, box, attitude }));
        this.#root.dataset.boxes = JSON.stringify(boxes);
        this.#root.dataset.frameWidth = String(record?.width ?? "");
        this.#root.dataset.frameHeight = String(record?.height ?? "");
    }
}

/** @param {FrameImage} image */
function sizeOf(image) {
    return image instanceof HTMLVideoElement
        ? { width: image.videoWidth, height: image.videoHeight }
        : { width: image.width, height: image.height };
}
