// SPDX-License-Identifier: MPL-2.0

//! Tests of the analytics relation meta, with GStreamer's own elements as readers.

use attitude::Label;
use attitude::record::Record;
use gst::prelude::*;
use gst_analytics::prelude::*;
use gst_analytics::{
    AnalyticsClassificationMtd, AnalyticsODMtd, AnalyticsRelationMeta, AnalyticsTrackingMtd,
    RelTypes,
};
use gst_check::Harness;
use gst_video::video_meta::VideoRegionOfInterestMeta;

use crate::support::*;

/// A detection with the metadata that it relates to, read as GStreamer's overlay and DL Streamer
/// read it: the first name of the first classification.
#[derive(Clone, Debug, PartialEq)]
struct Detected {
    id: u32,
    kind: String,
    rect: (i32, i32, i32, i32),
    label: String,
    confidence: f32,
    scores: Vec<(String, f32)>,
    track: u64,
}

fn detected(buffer: &gst::BufferRef) -> Vec<Detected> {
    let Some(meta) = buffer.meta::<AnalyticsRelationMeta>() else {
        return Vec::new();
    };
    meta.iter::<AnalyticsODMtd>()
        .map(|found| {
            let at = found.location().unwrap();
            let id = found.id();
            let winner = meta
                .iter_direct_related::<AnalyticsClassificationMtd>(id, RelTypes::RELATE_TO)
                .next()
                .unwrap();
            assert_eq!(winner.len(), 1);
            let contained = meta.relation(id, winner.id());
            assert_eq!(contained, RelTypes::RELATE_TO | RelTypes::CONTAIN);
            assert_eq!(meta.relation(winner.id(), id), RelTypes::IS_PART_OF);
            let all = meta
                .iter_direct_related::<AnalyticsClassificationMtd>(winner.id(), RelTypes::RELATE_TO)
                .next();
            let tracking = meta
                .iter_direct_related::<AnalyticsTrackingMtd>(id, RelTypes::RELATE_TO)
                .next();
            Detected {
                id,
                kind: found.obj_type().unwrap().as_str().to_string(),
                rect: (at.x, at.y, at.w, at.h),
                label: winner.quark(0).as_str().to_string(),
                confidence: winner.level(0),
                scores: all.map_or(Vec::new(), |all| {
                    (0..all.len())
                        .map(|i| (all.quark(i).as_str().to_string(), all.level(i)))
                        .collect()
                }),
                track: tracking.unwrap().info().0,
            }
        })
        .collect()
}

#[test]
fn a_face_is_a_detection_with_its_attitude_its_scores_and_its_track() {
    let mut rig = Rig::tiny(&[("smoothing", "0")]);
    for _ in 0..6 {
        let passed = rig.pass_face(POSITIVE);
        let found = detected(&passed);
        let region = &regions(&passed)[0];
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].kind.as_str(), found[0].rect),
            ("face", (64, 32, 48, 48))
        );
        assert_eq!(
            (&found[0].label, found[0].track),
            (&region.label, region.track as u64)
        );
        assert_eq!(f64::from(found[0].confidence), region.confidence);
        let names: Vec<_> = found[0]
            .scores
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["positive", "neutral", "negative"]);
        let roi = passed.meta::<VideoRegionOfInterestMeta>().unwrap();
        assert_eq!(roi.id(), found[0].id as i32);
    }
}

#[test]
fn each_form_can_be_left_out() {
    for (regions_too, analytics) in [(true, false), (false, true), (false, false)] {
        let mut rig = Rig::tiny(&[]);
        rig.element.set_property("roi-meta", regions_too);
        rig.element.set_property("analytics-meta", analytics);
        let passed = rig.pass();
        let is_there = (!regions(&passed).is_empty(), !detected(&passed).is_empty());
        assert_eq!(is_there, (regions_too, analytics));
    }
}

#[test]
fn upstreams_detection_gets_the_attitude() {
    let mut rig = Rig::tiny(&[("detect-faces", "false"), ("smoothing", "0")]);
    let mut buffer = rig.frame(&Patch(NEGATIVE));
    let mut meta = AnalyticsRelationMeta::add(buffer.get_mut().unwrap());
    for (kind, x) in [("car", 64), ("face", 64)] {
        let kind = glib::Quark::from_str(kind);
        meta.add_od_mtd(kind, x, 32, 48, 48, 0.7).unwrap();
    }
    let passed = rig.push(buffer);
    let meta = passed.meta::<AnalyticsRelationMeta>().unwrap();
    let kinds: Vec<_> = meta
        .iter::<AnalyticsODMtd>()
        .map(|found| {
            let attitudes = meta
                .iter_direct_related::<AnalyticsClassificationMtd>(found.id(), RelTypes::RELATE_TO);
            let labels: Vec<_> = attitudes.map(|a| a.quark(0).as_str().to_string()).collect();
            (found.obj_type().unwrap().as_str().to_string(), labels)
        })
        .collect();
    let negative = vec!["negative".to_owned()];
    assert_eq!(
        kinds,
        [("car".to_owned(), vec![]), ("face".to_owned(), negative)]
    );
}

#[test]
fn overlay_and_export_read_the_analytics_meta_without_regions() {
    let mut rig = Rig::tiny(&[("roi-meta", "false"), ("smoothing", "0")]);
    let passed = rig.pass_face(POSITIVE);
    let caps = rig.info.to_caps().unwrap();

    let mut export = Harness::new("attitudeexport");
    export.set_src_caps(caps.clone());
    let line = export.push_and_pull(passed.clone()).unwrap();
    let record: Record = serde_json::from_slice(&bytes(&line)).unwrap();
    let face = &record.faces[0];
    assert_eq!((face.track, face.attitude), (1, Label::POSITIVE));
    assert_eq!(face.bbox, [64.0, 32.0, 48.0, 48.0]);
    assert!(face.scores.positive > 0.5 && (0.5..face.scores.positive).contains(&face.confidence));
    assert_eq!(
        (face.valence, face.quality, face.pose),
        (Some(face.scores.valence()), None, None)
    );

    let mut overlay = Harness::new("attitudeoverlay");
    overlay.set_src_caps(caps);
    let before = bytes(&passed);
    let with_regions = Rig::tiny(&[("smoothing", "0"), ("overlay", "true")]).pass_face(POSITIVE);
    let drawn = bytes(&overlay.push_and_pull(passed).unwrap());
    assert!(drawn != before && drawn == bytes(&with_regions));
}

#[test]
fn gstreamers_own_overlay_draws_the_box_with_the_attitude_as_its_label() {
    init();
    if gst::ElementFactory::find("objectdetectionoverlay").is_none() {
        eprintln!("skipped: this GStreamer has no objectdetectionoverlay");
        return;
    }
    // In a process of its own, because the overlay of GStreamer 1.26 leaks memory.
    let pixels = |pattern: &str, overlay: &str| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("frame");
        let mut launch = with_plugin("gst-launch-1.0", folder.path());
        launch.env_remove("GST_TRACERS").arg("-q");
        let pipeline = format!(
            "videotestsrc num-buffers=1 pattern={pattern} ! {LAUNCH_CAPS} ! faceattitude {} ! \
             {overlay} ! {LAUNCH_CAPS} ! filesink location={}",
            tiny_launch(),
            file.display()
        );
        let output = launch.args(pipeline.split_whitespace()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        std::fs::read(file).unwrap()
    };
    let drawn = |pattern: &str, labels: bool| {
        let before = pixels(pattern, "identity");
        let overlay = format!(
            "objectdetectionoverlay draw-labels={labels} object-detection-outline-color=0xff808080 labels-color=0xff808080"
        );
        let after = pixels(pattern, &overlay);
        // Where it has drawn, of the luma plane.
        let places = 0..(WIDTH * HEIGHT) as usize;
        places
            .map(|place| before[place] != after[place])
            .collect::<Vec<_>>()
    };
    let (x, y, w, h) = face_rect();
    let boxed = drawn("white", false);
    let at = |x: u32, y: u32| boxed[(y * WIDTH + x) as usize];
    let near = |place: u32| place - 3..place + 4;
    assert!(near(x).any(|x| at(x, y + h / 2)) && near(x + w).any(|x| at(x, y + h / 2)));
    assert!(!at(x + w / 2, y + h / 2) && !at(x + 3 * w, y));
    // Its text says the attitude: it differs with it, and only by it.
    let [positive, again, negative] = ["white", "white", "black"].map(|p| drawn(p, true));
    assert!(positive == again && positive != boxed && positive != negative);
}

#[test]
fn elements_of_gstreamer_keep_the_analytics_meta_and_drop_region_params() {
    init();
    let face = |x, y, side| Some((x, y, side, side));
    // Converters move and scale regions, but drop their params; `videocrop` drops all but the mark.
    for (elements, place, params) in [
        ("queue ! tee ! queue", face(64, 32, 48), true),
        (
            "videoconvert ! video/x-raw,format=RGB",
            face(64, 32, 48),
            false,
        ),
        (
            "videoscale ! video/x-raw,width=640,height=384",
            face(128, 64, 96),
            false,
        ),
        ("videocrop left=16 top=8", None, false),
    ] {
        let mut frames = Played::launch(&format!(
            "videotestsrc num-buffers=1 pattern=white ! {LAUNCH_CAPS} ! faceattitude {} ! {elements} ! \
             appsink name=sink",
            tiny_launch()
        ));
        let buffer = &frames.next().unwrap();
        let found = detected(buffer);
        let rects: Vec<_> = found.iter().map(|face| face.rect).collect();
        assert_eq!(rects, Vec::from_iter(place), "{elements}");
        assert!(
            found.iter().all(|face| face.label == "positive"),
            "{elements}"
        );
        let mut all = buffer.iter_meta::<VideoRegionOfInterestMeta>();
        let has_params = all.any(|roi| roi.params().count() > 0);
        assert_eq!(has_params, params, "{elements}");
        assert!(gstattitude::meta::is_sample(buffer), "{elements}");
        let mut shown = Vec::new();
        gstattitude::meta::read_drawings(buffer, &mut shown);
        assert_eq!(shown.len(), rects.len(), "{elements}");
    }
}

#[test]
fn both_forms_of_metadata_contain_the_same_faces_of_a_clip() {
    let Some(clip) = shared("clips/woman2.mp4") else {
        return;
    };
    let frames = Played::launch(&format!(
        "filesrc location={} ! decodebin ! videoconvert ! faceattitude mode=sync ! appsink name=sink",
        clip.display()
    ));
    let mut faces = 0;
    for buffer in frames {
        let by_regions = regions(&buffer)
            .into_iter()
            .map(|face| (face.track as u64, face.label));
        let by_detections = detected(&buffer)
            .into_iter()
            .map(|face| (face.track, face.label));
        faces += by_detections.len();
        assert!(by_regions.eq(by_detections), "{:?}", buffer.pts());
    }
    assert!(faces > 400, "{faces}");
}
