// SPDX-License-Identifier: MPL-2.0
//
// Types of the data that the page exchanges with the server and that its modules exchange with each other. A browser
// never loads this file.

/** An attitude that has a score. */
export type ScoredAttitude = "positive" | "neutral" | "negative";

/** A face's attitude; `unknown` if no confidence is high enough. */
export type Attitude = ScoredAttitude | "unknown";

/** One score from 0 to 1 per attitude. */
export type Scores = Record<ScoredAttitude, number>;

/** Left, top, width and height in pixels of the frame; may extend beyond the frame. */
export type Box = [left: number, top: number, width: number, height: number];

/** The direction of a head in degrees: yaw positive to the right of the picture, pitch up, roll clockwise. */
export type HeadPose = Record<"yaw" | "pitch" | "roll", number>;

/** A face of a `FrameRecord`. */
export interface FaceRecord {
    /** Number of the face's track, from 1; unique within its stream. */
    track: number;
    box: Box;
    landmarks: [x: number, y: number][] | null;
    pose: HeadPose | null;
    detection: number;
    attitude: Attitude;
    /** The score of the attitude times the quality; 0 if the attitude is `unknown`. */
    confidence: number;
    /** All 0 if the face has not been classified. */
    scores: Scores;
    /** From -1 to 1; null if the face has not been classified. */
    valence: number | null;
    /** Quality of the face's picture, from 0 to 1; null if the face has not been classified. */
    quality: number | null;
    raw: Scores;
    emotions: { [name: string]: number };
    fresh: boolean;
    /** Time since the face was classified. */
    age_ns: number;
}

/** A record in JSON: the results for one frame. `record.schema.json` defines it. */
export interface FrameRecord {
    schema: 1;
    stream: string;
    frame: number;
    pts_ns: number | null;
    running_time_ns: number | null;
    stream_time_ns: number | null;
    /** Time of capture in ISO 8601. */
    utc: string | null;
    width: number;
    height: number;
    faces: FaceRecord[];
}

/** A record with the times and track numbers of the session, which spans several streams. */
export interface SessionRecord extends FrameRecord {
    running_time_ns: number;
}

/** A note in the session's JSON lines. `note.schema.json` defines it. */
export interface NoteRecord {
    note: string;
    running_time_ns: number;
}

/** Limits of the video that the server accepts. */
export interface VideoLimits {
    width: number;
    height: number;
    frames_per_second: number;
    kilobits_per_second: number;
}

/** The response to `GET /settings`. */
export interface Settings {
    /** Name of the video that the server shows; null if the visitor's camera is analyzed. */
    source: string | null;
    limits: VideoLimits;
    /** Interval of `{ alive: true }` messages. */
    heartbeat_s: number;
}

/** The response to `POST /sessions`. */
export interface SessionOffer {
    id: string;
    /** The offer in SDP. */
    offer: string;
}

/** The body of an error response. */
export interface ProblemResponse {
    problem: string;
}

/** A format that the server exports a session to. */
export type ServerExportFormat = "csv" | "vtt" | "srt" | "html";

/** A message from the page on the data channel `control`. */
export type PageMessage = { alive: true } | { analysis: boolean };

/** A message from the server on the data channel `control`. */
export interface ControlMessage {
    closing?: Closing;
}

/** The server's reason for closing a session. */
export interface Closing {
    reason: "left" | "ended" | "shutdown" | "limit" | "timeout" | "unplayable" | "failed";
    problem: string;
}

/** A source of frames that has a size. */
export type FrameImage = HTMLVideoElement | HTMLCanvasElement;

/** A frame with its record. */
export interface AnnotatedFrame {
    image: FrameImage;
    /** Null if no record is known for the frame. */
    record: FrameRecord | null;
    /** True if the record belongs to exactly this frame. */
    isExact: boolean;
    /** Time of capture on the clock of `performance.now`, if known. */
    captured_ms: number | null;
}

/** The content of a segment of a timeline. */
export type SegmentKind = Attitude | "no-face";

/** A span of time with the same content. */
export interface Segment {
    kind: SegmentKind;
    start_s: number;
    end_s: number;
}

/** A note's position on a timeline. */
export interface NoteMark {
    time_ns: number;
}
