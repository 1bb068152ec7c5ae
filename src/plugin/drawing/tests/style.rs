// SPDX-License-Identifier: MPL-2.0

//! What a style switches on and off, and what it changes.

use super::*;
use attitude::ByLabel;

const SCORES: Option<Scores> = Some(Scores::from_array([0.91, 0.07, 0.02]));

fn style(boxes: bool, labels: bool, history: bool, scene_history: bool) -> Style {
    Style {
        boxes,
        labels,
        history,
        scene_history,
        ..Style::default()
    }
}

fn scores(labels: bool) -> Style {
    Style {
        scores: true,
        ..style(false, labels, false, false)
    }
}

/// Places and sizes of what is drawn of a face with a history in a scene with one.
fn drawn(style: Style, bbox_in_frame: Rect) -> Vec<(i32, i32, u32, u32)> {
    let history = history(50, [POSITIVE]);
    let face = FaceDrawing {
        history: Some(&history),
        scores: SCORES,
        ..face(bbox_in_frame)
    };
    let composition = render(&mut Renderer::new(style), [face], Some(&history));
    let all = composition.iter().flat_map(rectangles);
    all.map(|(rectangle, _)| rectangle).collect()
}

#[test]
fn each_part_is_drawn_only_where_it_is_switched_on() {
    let all = drawn(Style::default(), BBOX);
    let [scene, boxes, strip, label] = [
        style(false, false, false, true),
        style(true, false, false, false),
        style(false, false, true, false),
        style(false, true, false, false),
    ]
    .map(|style| drawn(style, BBOX));
    assert_eq!(
        [scene.len(), boxes.len(), strip.len(), label.len()],
        [2, 8, 1, 1]
    );
    assert_eq!([scene, boxes, strip, label].concat(), all);
}

#[test]
fn with_everything_off_there_is_nothing_to_draw() {
    assert!(drawn(style(false, false, false, false), BBOX).is_empty());
}

#[test]
fn what_is_switched_off_leaves_its_room_to_the_rest() {
    let at_top = Rect::new(200.0, 2.0, 100.0, 120.0);
    let label_y = |history| {
        drawn(style(true, true, history, false), at_top)
            .pop()
            .unwrap()
            .1
    };
    assert!(label_y(false) < label_y(true));

    let at_bottom = Rect::new(200.0, 200.0, 100.0, 140.0);
    let strip_y = |scene| {
        drawn(style(true, false, true, scene), at_bottom)
            .pop()
            .unwrap()
            .1
    };
    assert!(strip_y(false) >= 340 && strip_y(true) < 340);
}

#[test]
fn boxes_and_histories_have_the_colors_of_the_style() {
    let colors = ByLabel {
        positive: 0xFF12_3456,
        ..DEFAULT_COLORS
    };
    let style = Style {
        colors,
        ..Style::default()
    };
    let scene = history(300, (0..300).map(|_| POSITIVE));
    let composition = render(&mut Renderer::new(style), [face(BBOX)], Some(&scene)).unwrap();
    let pixel = blended_bgrx(&composition);
    assert_eq!(pixel(250, 117), [0x56, 0x34, 0x12]);
    assert_eq!(pixel(320, 350), [0x56, 0x34, 0x12]);
}

#[test]
fn the_video_shows_through_a_translucent_color() {
    let colors = ByLabel {
        positive: 0x8000_00FF,
        ..DEFAULT_COLORS
    };
    let style = Style {
        colors,
        ..Style::default()
    };
    let composition = render(&mut Renderer::new(style), [face(BBOX)], None).unwrap();
    let [blue, green, red] = blended_bgrx(&composition)(250, 117);
    assert!((100..200).contains(&blue) && green == red && (10..60).contains(&red));
}

#[test]
fn a_style_set_again_keeps_the_pictures_and_another_one_does_not() {
    let mut renderer = Renderer::default();
    let first = render(&mut renderer, [face(BBOX)], None).unwrap();
    renderer.set_style(&Style::default());
    let same = render(&mut renderer, [face(BBOX)], None).unwrap();
    assert_eq!(first.as_ptr(), same.as_ptr());
    renderer.set_style(&style(true, false, true, true));
    let other = render(&mut renderer, [face(BBOX)], None).unwrap();
    assert_eq!(rectangles(&other).len() + 1, rectangles(&first).len());
}

#[test]
fn letters_have_the_size_that_the_font_names() {
    let height = |font: &str| {
        let style = Style {
            font: Some(font.into()),
            ..style(false, true, false, false)
        };
        drawn(style, BBOX).pop().map(|(.., height)| height)
    };
    let own = height("Sans");
    assert!(height("Sans 20") > own && height("Sans 6") < own);
    assert_eq!(height("Sans 5000"), None);
    for font in ["", "\0", "no such font", "Sans -3", "nan", "Sans 1e400"] {
        height(font);
    }
}

#[test]
fn faces_that_are_not_followed_are_all_drawn_and_kept() {
    let mut renderer = Renderer::default();
    let mut render = || {
        let faces = [(50.0, Label::POSITIVE), (350.0, Label::NEGATIVE)];
        let faces = faces.map(|(x, label)| FaceDrawing {
            track: 0,
            label,
            ..face(Rect::new(x, 120.0, 100.0, 120.0))
        });
        render(&mut renderer, faces, None).unwrap()
    };
    let composition = render();
    let pixel = blended_bgrx(&composition);
    assert_eq!(pixel(100, 117), SKY_BLUE_BGR);
    assert_eq!(pixel(400, 117), VERMILLION_BGR);
    let all = rectangles(&composition);
    let [.., ((left, ..), first), ((right, ..), second)] = &all[..] else {
        panic!("no labels");
    };
    assert!(*left < 100 && *right > 300 && first != second);
    assert_eq!(render().as_ptr(), composition.as_ptr());
}

#[test]
fn scores_are_shown_after_the_label_or_alone_each_with_its_color() {
    for (labels, marks) in [
        (
            true,
            vec![SKY_BLUE_BGR, SKY_BLUE_BGR, YELLOW_BGR, VERMILLION_BGR],
        ),
        (false, vec![SKY_BLUE_BGR, YELLOW_BGR, VERMILLION_BGR]),
    ] {
        let face = FaceDrawing {
            scores: SCORES,
            ..face(BBOX)
        };
        let composition = render(&mut Renderer::new(scores(labels)), [face], None).unwrap();
        let [((left, top, width, height), _)] = rectangles(&composition)[..] else {
            panic!("not one label");
        };
        let pixel = blended_bgrx(&composition);
        let row = (left..left + width as i32).map(|x| pixel(x, top + height as i32 / 2));
        let colors = [SKY_BLUE_BGR, YELLOW_BGR, VERMILLION_BGR];
        let row: Vec<_> = row
            .map(|color| colors.contains(&color).then_some(color))
            .collect();
        let found = row.chunk_by(PartialEq::eq).filter_map(|run| run[0]);
        assert_eq!(found.collect::<Vec<_>>(), marks);
    }
}

#[test]
fn scores_that_are_unknown_or_no_numbers_are_not_shown() {
    for scores_of_face in [None, Some(Scores::from_array([f32::NAN, 0.5, 0.5]))] {
        let face = FaceDrawing {
            scores: scores_of_face,
            ..face(BBOX)
        };
        assert!(render(&mut Renderer::new(scores(false)), [face], None).is_none());
    }
}

#[test]
fn on_a_narrow_frame_the_scores_are_left_out() {
    let rectangles = |style: Style, frame_width| {
        let face = FaceDrawing {
            scores: SCORES,
            ..face(Rect::new(40.0, 60.0, 60.0, 80.0))
        };
        let mut renderer = Renderer::new(style);
        rectangles(&compose(&mut renderer, (frame_width, 240), [face], None).unwrap())
    };
    let without = |width| rectangles(style(false, true, false, false), width)[0].0;
    let with = |width| rectangles(scores(true), width)[0].0;
    assert!(with(320).2 > without(320).2);
    assert_eq!(with(160), without(160));
}

#[test]
fn a_label_is_drawn_again_when_a_score_changes() {
    let mut renderer = Renderer::new(scores(true));
    let mut address = |neutral| {
        let face = FaceDrawing {
            scores: Some(Scores::from_array([0.9, neutral, 0.02])),
            ..face(BBOX)
        };
        let composition = render(&mut renderer, [face], None).unwrap();
        // Alive until the next one, so that an address cannot come back.
        (label_address(&composition), composition)
    };
    let (first, _first) = address(0.08);
    let (same, _same) = address(0.081);
    let (other, _other) = address(0.09);
    assert_eq!(first, same);
    assert_ne!(first, other);
}
