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

/** The direction of a trend of the valence. */
export type TrendDirection = "steady" | "rising" | "falling";

/** A trend of the valence. */
export interface Trend {
    direction: TrendDirection;
    /** Running time from which on this is the direction. */
    since_ns: number;
}

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
    /** Missing if trends are not computed. */
    trend?: Trend;
    /** State of the face's baseline; missing if the visitor has not started to learn it. */
    baseline?: "learning" | "known";
    /** Valence minus the baseline, -2 to 2; missing if one of them is not known. */
    valence_change?: number;
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
    /** Trend of all faces; missing if trends are not computed. */
    trend?: Trend;
}

/** A record with the times and track numbers of the session, which spans several streams. */
export interface SessionRecord extends FrameRecord {
    running_time_ns: number;
}

/** A sample with the persons of its faces, numbered from 1. */
export interface PersonSample extends SessionRecord {
    faces: (FaceRecord & { person: number })[];
}

/** A record with the persons of its faces; null for a face that no sample has contained yet. */
export interface PersonFrame extends FrameRecord {
    faces: (FaceRecord & { person: number | null })[];
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

/** The rule by which tracks are joined into persons. */
export interface JoiningRule {
    /** Maximum time between two samples without a gap. */
    gap_s: number;
    /** Maximum time between the end of a track and the start of another one of the same person; 0 joins none. */
    pause_s: number;
    /** Maximum distance of the centers of their boxes, in mean heights of both boxes. */
    distance: number;
    /** Maximum ratio of the heights of their boxes. */
    height_ratio: number;
}

/** The response to `GET /settings`. */
export interface Settings {
    /** Name of the video that the server shows; null if the visitor's own video is analyzed. */
    source: string | null;
    /** True if the source is a recording, which each session plays from its beginning. */
    is_recording: boolean;
    joining: JoiningRule;
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
export type PageMessage = { alive: true } | { analysis: boolean } | "learn-baseline";

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

/** A frame as it is shown, with the persons of its faces. */
export interface ShownFrame extends AnnotatedFrame {
    record: PersonFrame | null;
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
