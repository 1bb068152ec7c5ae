// SPDX-License-Identifier: MPL-2.0

//! Tests of metadata and messages in mode `sync`.

use gst::prelude::*;
use gst_video::VideoFormat;
use gst_video::video_meta::VideoRegionOfInterestMeta;

use crate::support::*;

#[test]
fn every_frame_carries_the_face_and_the_age_of_its_attitude() {
    let info = info(VideoFormat::I420, WIDTH, HEIGHT);
    let mut rig = Rig::new(element(&[("mode", "sync")]), info);
    let portrait = Portrait::new("positive", 90, 20, 140);
    for number in 0..12u64 {
        let buffer = rig.frame(&portrait);
        let found = regions(&rig.push(buffer));
        let [face] = &found[..] else {
            panic!("frame {number}: {found:?}");
        };
        assert_eq!((face.track, &face.label[..]), (1, "positive"), "{number}");
        assert_eq!(face.age, FRAME * (number % 5), "frame {number}");
        assert_eq!(face.is_fresh, number % 5 == 0, "frame {number}");
        let (x, y, w, h) = face.bbox;
        let (center_x, center_y) = (x + w / 2, y + h / 2);
        assert!(
            center_x.abs_diff(160) < 20 && center_y.abs_diff(90) < 25,
            "{face:?}"
        );
    }
}

#[test]
fn a_region_has_the_params_that_dl_streamer_reads() {
    let buffer = Rig::tiny(&[("smoothing", "0")]).pass();
    let roi = buffer.meta::<VideoRegionOfInterestMeta>().unwrap();
    assert_eq!((roi.roi_type(), roi.rect()), ("face", face_rect()));
    let described: Vec<_> = roi
        .params()
        .flat_map(|param| {
            let name = param.name().to_string();
            let fields = param
                .iter()
                .map(|(field, value)| (field.to_string(), value.type_()));
            fields
                .map(|(field, kind)| format!("{name} {field}: {kind}"))
                .collect::<Vec<_>>()
        })
        .collect();
    let attitude = "classification_layer_name:attitude";
    let mut expected: Vec<_> = ["x_min", "x_max", "y_min", "y_max", "confidence"]
        .map(|field| format!("detection {field}: gdouble"))
        .to_vec();
    expected.extend([
        "detection label_id: gint".into(),
        "object_id id: gint".into(),
    ]);
    for (fields, kind) in [
        (
            &["label", "model_name", "attribute_name", "type"][..],
            "gchararray",
        ),
        (&["label_id", "tensor_id"], "gint"),
        (
            &["confidence", "positive", "neutral", "negative"],
            "gdouble",
        ),
        (&["raw-positive", "raw-neutral", "raw-negative"], "gdouble"),
        (&["valence", "quality"], "gdouble"),
        (&["age-ns"], "guint64"),
        (&["fresh"], "gboolean"),
    ] {
        expected.extend(
            fields
                .iter()
                .map(|field| format!("{attitude} {field}: {kind}")),
        );
    }
    let geometry = ["x", "y", "w", "h", "yaw", "pitch", "roll"];
    expected.extend(geometry.map(|field| format!("geometry {field}: gdouble")));
    expected.push("geometry landmarks: GstValueArray".into());
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };
    assert_eq!(sorted(described), sorted(expected));
    let param = roi.params().find(|p| p.name() == attitude).unwrap();
    let text = |field| param.get::<String>(field).unwrap();
    assert_eq!(text("attribute_name"), "attitude");
    assert_eq!(text("type"), "classification_result");
    assert_eq!(
        (text("label"), text("model_name")),
        ("neutral".into(), "brightness".into())
    );
    assert_eq!(param.get::<f64>("raw-neutral"), param.get::<f64>("neutral"));
    let detection = roi.params().find(|p| p.name() == "detection").unwrap();
    assert_eq!(
        detection.get::<f64>("x_min").unwrap(),
        f64::from(64.0f32 / 320.0)
    );
    assert_eq!(
        detection.get::<f64>("y_max").unwrap(),
        f64::from(80.0f32 / 192.0)
    );
}

#[test]
fn emotions_are_attached_if_the_model_reports_them() {
    let mut rig = Rig::tiny(&[
        ("smoothing", "0"),
        ("messages", "sample"),
        ("attitude-model", &model("two-heads")),
    ]);
    let buffer = rig.pass_face(POSITIVE);
    let roi = buffer.meta::<VideoRegionOfInterestMeta>().unwrap();
    let param = |name| roi.params().find(|p| p.name() == name).unwrap();
    let attitude = param("classification_layer_name:attitude");
    assert_eq!(attitude.get("label"), Ok("positive"));
    let emotion = param("classification_layer_name:emotion");
    assert_eq!(emotion.get("label"), Ok("happiness"));
    assert_eq!(emotion.get("attribute_name"), Ok("emotion"));
    assert_eq!(emotion.get("model_name"), Ok("two-heads"));
    let happiness: f64 = emotion.get("happiness").unwrap();
    assert_eq!(emotion.get("confidence"), Ok(happiness));
    assert!(happiness > 0.9, "{happiness}");
    assert!(emotion.get::<f64>("not-a-face").unwrap() < 0.1);
    let emotions = &rig.records()[0].faces[0].emotions;
    assert_eq!(emotions.len(), 8);
    assert!((f64::from(emotions["happiness"]) - happiness).abs() < 1e-6);
}

#[test]
fn the_property_mapping_assigns_emotions_to_other_attitudes() {
    for name in ["two-heads", "emotions8"] {
        let mut rig = Rig::tiny(&[
            ("smoothing", "0"),
            ("sample-interval", "0"),
            ("attitude-model", &model(name)),
            ("mapping", "positive=Anger; neutral=neutral"),
        ]);
        assert_eq!(
            regions(&rig.pass_face(NEGATIVE))[0].label,
            "positive",
            "{name}"
        );
        assert_eq!(
            regions(&rig.pass_face(NEUTRAL))[0].label,
            "neutral",
            "{name}"
        );
        assert_eq!(
            regions(&rig.pass_face(POSITIVE))[0].label,
            "negative",
            "{name}"
        );
    }
}

#[test]
fn messages_are_posted_as_the_property_selects_and_agree_with_the_metadata() {
    for (messages, frames) in [
        ("none", &[][..]),
        ("change", &[0, 5]),
        ("sample", &[0, 5, 10]),
    ] {
        let mut rig = Rig::tiny(&[("messages", messages), ("smoothing", "0")]);
        let mut found = Vec::new();
        for luma in [NEUTRAL, POSITIVE, POSITIVE] {
            found.push(regions(&rig.pass_face(luma)).remove(0));
            (0..4).for_each(|_| drop(rig.pass_face(luma)));
        }
        let records = rig.records();
        assert!(
            records.iter().map(|r| r.frame).eq(frames.iter().copied()),
            "{records:?}"
        );
        for record in &records {
            let (face, region) = (&record.faces[0], &found[record.frame as usize / 5]);
            assert_eq!(
                (face.attitude.name(), face.track as i32),
                (&region.label[..], region.track)
            );
            assert_eq!(record.pts_ns, Some((FRAME * record.frame).nseconds()));
            assert_eq!(face.bbox, [64.0, 32.0, 48.0, 48.0]);
        }
    }
}

#[test]
fn statistics_count_frames_samples_and_faces() {
    let mut rig = Rig::tiny(&[]);
    assert_eq!(rig.stat("frames"), 0);
    (0..7).for_each(|_| drop(rig.pass()));
    let counts = ["frames", "samples", "skipped", "failures", "faces"];
    assert_eq!(counts.map(|name| rig.stat(name)), [7, 2, 0, 0, 1]);
    for part in ["detection-time", "classification-time", "delay"] {
        let quantiles = ["p50", "p95", "p99"].map(|q| rig.stat(&format!("{part}-{q}")));
        assert!(
            quantiles[0] > 0 && quantiles.is_sorted(),
            "{part} {quantiles:?}"
        );
    }
    let stats: gst::Structure = rig.element.property("stats");
    assert_eq!(stats.get::<&str>("provider"), Ok("cpu"));
    for (field, model_name) in [
        ("detector-sha256", "one-face"),
        ("attitude-sha256", "brightness"),
    ] {
        let file = std::fs::read(model(model_name)).unwrap();
        let digest = attitude_inference::model::sha256(&file);
        assert_eq!(stats.get::<String>(field), Ok(digest));
    }
    assert_eq!(rig.element.property::<String>("active-provider"), "cpu");
}

#[test]
fn a_new_stream_posts_a_change_if_faces_disappear_or_are_replaced() {
    let mut rig = Rig::tiny(&[]);
    rig.pass();
    let changes = |rig: &mut Rig| {
        let records = rig.records();
        let faces = records.iter().map(|record| record.faces.len());
        faces.collect::<Vec<_>>()
    };
    assert_eq!(changes(&mut rig), [1]);
    rig.begin_stream("the same face");
    rig.pass();
    assert_eq!(changes(&mut rig), [1]);
    rig.element.set_property("min-face-size", 1000u32);
    rig.begin_stream("nobody");
    rig.pass();
    assert_eq!(changes(&mut rig), [0]);
    rig.begin_stream("still nobody");
    rig.pass();
    assert_eq!(changes(&mut rig), [0; 0]);
}
