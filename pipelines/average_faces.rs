// SPDX-License-Identifier: MPL-2.0
//! Writes a clip of a face that belongs to nobody: neutral, then positive, then negative.
//!
//! The three faces are averages of many photos. They move, change their size and cross-fade on a
//! plain background, so that the clip exercises detection, tracking and classification.
//!
//! ```sh
//! cargo run --release -p gst-attitude-pipelines --example average_faces -- clip.mp4 [--png-dir tests/fixtures]
//! ```

use std::{env, error::Error, f32::consts::TAU, fs::File, io::BufReader, path::Path};

use gst::prelude::*;

const WIDTH: usize = 640;
const HEIGHT: usize = 360;
const FRAMES_PER_SECOND: u32 = 30;
const SECONDS: u32 = 12;

/// The faces in order of appearance, and the times of the changes between them, in seconds.
const NAMES: [&str; 3] = ["neutral", "positive", "negative"];
const CHANGES: [f32; 2] = [3.5, 7.5];
const CROSS_FADE: f32 = 1.0;

/// Radii of the visible ellipse of the square picture, as fractions of its side.
const RADII: [f32; 2] = [0.37, 0.46];
/// Opaque fraction of the ellipse; outside it the picture fades out.
const OPAQUE: f32 = 0.5;

type Color = [f32; 3];

/// A square picture.
struct Picture {
    side: usize,
    pixels: Vec<Color>,
}

impl Picture {
    fn load(path: &Path) -> Result<Self, Box<dyn Error>> {
        let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut reader = png::Decoder::new(BufReader::new(file)).read_info()?;
        let mut bytes = vec![
            0;
            reader
                .output_buffer_size()
                .ok_or("the picture is too large")?
        ];
        let info = reader.next_frame(&mut bytes)?;
        if info.width != info.height
            || info.color_type != png::ColorType::Rgb
            || info.bit_depth != png::BitDepth::Eight
        {
            return Err(format!("{}: not a square picture in 8-bit RGB", path.display()).into());
        }
        let pixels = bytes
            .as_chunks()
            .0
            .iter()
            .map(|rgb: &[u8; 3]| rgb.map(f32::from))
            .collect();
        Ok(Self {
            side: info.width as usize,
            pixels,
        })
    }

    /// Returns the color at a position in fractions of the side, interpolated bilinearly.
    fn sample(&self, [u, v]: [f32; 2]) -> Color {
        let last = self.side - 1;
        let x = (u * self.side as f32 - 0.5).clamp(0.0, last as f32);
        let y = (v * self.side as f32 - 0.5).clamp(0.0, last as f32);
        let (left, top) = (x as usize, y as usize);
        let pixel =
            |column: usize, row: usize| self.pixels[row.min(last) * self.side + column.min(last)];
        let upper = mix(pixel(left, top), pixel(left + 1, top), x.fract());
        let lower = mix(pixel(left, top + 1), pixel(left + 1, top + 1), x.fract());
        mix(upper, lower, y.fract())
    }
}

fn mix(from: Color, to: Color, share: f32) -> Color {
    std::array::from_fn(|channel| from[channel] + (to[channel] - from[channel]) * share)
}

/// Rises smoothly from 0 to 1 while `x` rises from `from` to `to`.
fn smooth_step(from: f32, to: f32, x: f32) -> f32 {
    let x = ((x - from) / (to - from)).clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

/// Returns a frame in packed RGB.
fn render(pictures: &[Picture; 3], seconds: f32) -> Vec<u8> {
    let turn = |period: f32| (TAU * seconds / period).sin();
    let side = 225.0 - 85.0 * (TAU * seconds / 8.0).cos();
    let center = [
        WIDTH as f32 * (0.5 + 0.2 * turn(9.0)),
        HEIGHT as f32 * (0.5 + 0.04 * turn(5.0)),
    ];
    let fades = CHANGES.map(|change| {
        smooth_step(
            change - CROSS_FADE / 2.0,
            change + CROSS_FADE / 2.0,
            seconds,
        )
    });

    let mut frame = Vec::with_capacity(WIDTH * HEIGHT * 3);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let mut color = background(x as f32 / WIDTH as f32, y as f32 / HEIGHT as f32);
            let offset = [(x as f32 - center[0]) / side, (y as f32 - center[1]) / side];
            let distance = (offset[0] / RADII[0]).hypot(offset[1] / RADII[1]);
            if distance < 1.0 {
                let position = offset.map(|value| value + 0.5);
                let [neutral, positive, negative] =
                    pictures.each_ref().map(|picture| picture.sample(position));
                let face = mix(mix(neutral, positive, fades[0]), negative, fades[1]);
                color = mix(face, color, smooth_step(OPAQUE, 1.0, distance));
            }
            frame.extend(color.map(|value| value.round() as u8));
        }
    }
    frame
}

/// Returns the color of the background: a dim gray-blue, darker towards the bottom and the sides.
fn background(x: f32, y: f32) -> Color {
    let light = 1.0 - 0.35 * y - 0.6 * (x - 0.5).powi(2);
    [64.0, 70.0, 80.0].map(|value| value * light)
}

/// Returns the frame as a buffer with timestamp and duration.
fn timed(pixels: Vec<u8>, frame: u32) -> gst::Buffer {
    let time =
        |frame: u32| u64::from(frame) * gst::ClockTime::SECOND / u64::from(FRAMES_PER_SECOND);
    let mut buffer = gst::Buffer::from_mut_slice(pixels);
    let header = buffer.make_mut();
    header.set_pts(time(frame));
    header.set_duration(time(frame + 1) - time(frame));
    buffer
}

fn write_clip(pictures: [Picture; 3], path: &str) -> Result<(), Box<dyn Error>> {
    let info =
        gst_video::VideoInfo::builder(gst_video::VideoFormat::Rgb, WIDTH as u32, HEIGHT as u32)
            .fps(gst::Fraction::new(FRAMES_PER_SECOND as i32, 1))
            .build()?;
    let mut frames = 0..SECONDS * FRAMES_PER_SECOND;
    let render_next = move |source: &gst_app::AppSrc, _| {
        // A refused frame means that the pipeline is stopping; the bus reports the reason.
        let _ = match frames.next() {
            Some(frame) => {
                let pixels = render(&pictures, frame as f32 / FRAMES_PER_SECOND as f32);
                source.push_buffer(timed(pixels, frame))
            }
            None => source.end_of_stream(),
        };
    };
    let source = gst_app::AppSrc::builder()
        .caps(&info.to_caps()?)
        .format(gst::Format::Time)
        .callbacks(
            gst_app::AppSrcCallbacks::builder()
                .need_data(render_next)
                .build(),
        )
        .build();
    let sink = gst::parse::bin_from_description(
        "videoconvert ! video/x-raw,format=I420 ! x264enc ! mp4mux ! filesink name=file",
        true,
    )?;
    let file = sink.by_name("file").ok_or("no filesink")?;
    file.set_property("location", path);

    let pipeline = gst::Pipeline::new();
    pipeline.add_many([source.upcast_ref(), sink.upcast_ref::<gst::Element>()])?;
    source.link(&sink)?;
    let _ = pipeline.set_state(gst::State::Playing); // Errors are reported on the bus.
    let bus = pipeline.bus().ok_or("the pipeline has no bus")?;
    let end = bus.timed_pop_filtered(
        gst::ClockTime::NONE,
        &[gst::MessageType::Eos, gst::MessageType::Error],
    );
    pipeline.set_state(gst::State::Null)?;
    match end.as_ref().map(|message| message.view()) {
        Some(gst::MessageView::Error(error)) => {
            Err(format!("{}: {}", error.error(), error.debug().unwrap_or_default()).into())
        }
        _ => Ok(()),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (path, folder) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [path] => (
            path,
            concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures"),
        ),
        [path, "--png-dir", folder] => (path, folder),
        _ => return Err("usage: average_faces OUT.mp4 [--png-dir FOLDER]".into()),
    };
    gst::init()?;
    let [neutral, positive, negative] =
        NAMES.map(|name| Picture::load(&Path::new(folder).join(format!("{name}.png"))));
    write_clip([neutral?, positive?, negative?], path)
}
