// SPDX-License-Identifier: MPL-2.0

//! What the tests of the element share: an element between two pads, frames to push through it,
//! and the metadata and messages read back.

#![allow(dead_code)] // Each test binary uses a part of it.

use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use attitude::record::Record;
use gst::prelude::*;
use gst_video::video_meta::VideoRegionOfInterestMeta;
use gst_video::{VideoFormat, VideoFrame, VideoInfo};
use gstattitude::message::AttitudeMessage;

mod files;
pub use files::*;

/// Size of the frames: what `one-face.onnx` takes without scaling.
pub const WIDTH: u32 = 320;
pub const HEIGHT: u32 = 192;

/// Duration of a frame. Five of them make the default sample interval.
pub const FRAME: gst::ClockTime = gst::ClockTime::from_mseconds(40);

/// Luma that `brightness.onnx` classifies as each attitude.
pub const POSITIVE: u8 = 215;
pub const NEUTRAL: u8 = 126;
pub const NEGATIVE: u8 = 35;

/// Initialises GStreamer and registers the plugin of this crate. At the program's end GStreamer is
/// shut down, so that its tracer `leaks`, where `GST_TRACERS` asks for it, warns of what was not
/// freed; `G_DEBUG=fatal_warnings` makes that a failure.
pub fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        gst::init().unwrap();
        gstattitude::plugin_register_static().unwrap();
        // SAFETY: The function does not unwind, and `exit` is called once all tests have ended.
        assert_eq!(unsafe { atexit(shut_down) }, 0);
    });
}

/// Set in a process that [`in_own_process`] starts, to the test's name.
const OWN_PROCESS: &str = "GST_ATTITUDE_TEST_OWN_PROCESS";

/// Runs `test`, the whole body of a test function, in a process of its own: what it loads, counts or
/// leaves behind has nothing to do with other tests.
pub fn in_own_process<F: FnOnce()>(test: F) {
    // Such as `plugin::engine::elements_share_networks::{{closure}}`.
    let path = std::any::type_name::<F>();
    let (_, name) = path.split_once("::").unwrap();
    let name = name.strip_suffix("::{{closure}}").unwrap();
    if std::env::var_os(OWN_PROCESS).is_some_and(|asked| asked == name) {
        return test();
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(OWN_PROCESS, name)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

unsafe extern "C" {
    fn atexit(callback: extern "C" fn()) -> std::ffi::c_int;
}

static IS_KEPT: AtomicBool = AtomicBool::new(false);

/// Leaves GStreamer as it is at the program's end. What it has for DTLS it never frees, of which its tracer
/// would warn.
pub fn keep_gstreamer() {
    IS_KEPT.store(true, Ordering::Relaxed);
}

extern "C" fn shut_down() {
    if IS_KEPT.load(Ordering::Relaxed) {
        return;
    }
    // SAFETY: No test runs any more, so nobody uses GStreamer.
    unsafe { gst::deinit() }
}

/// Python with Playwright: of setup.sh, else the system's; `None`, and a message, where there is none.
pub fn playwright() -> Option<PathBuf> {
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let data = data.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".local/share")));
    let own = data.map(|data| data.join("gst-attitude/playwright/bin/python"));
    let can_drive = |python: &PathBuf| {
        let import = std::process::Command::new(python)
            .args(["-c", "import playwright"])
            .output();
        import.is_ok_and(|output| output.status.success())
    };
    let python = own.into_iter().chain(["python3".into()]).find(can_drive);
    let browser = std::process::Command::new("chromium")
        .arg("--version")
        .output();
    if python.is_none() || browser.is_err() {
        println!(
            "skipped: no chromium, or no Python with playwright; pipelines/setup.sh --tests installs both"
        );
        return None;
    }
    python
}

/// The path of one of the tiny models.
pub fn model(name: &str) -> String {
    let path = fixture("models").join(format!("{name}.onnx"));
    path.into_os_string().into_string().unwrap()
}

/// A `faceattitude` with these properties.
pub fn element(properties: &[(&str, &str)]) -> gst::Element {
    init();
    let element = gst::ElementFactory::make("faceattitude").build().unwrap();
    for (name, value) in properties {
        element.set_property_from_str(name, value);
    }
    element
}

/// The same with the tiny models: a face at [`face_rect`] whose brightness is its attitude.
pub fn tiny_element(properties: &[(&str, &str)]) -> gst::Element {
    let element = element(&[
        ("detector-model", &model("one-face")),
        ("attitude-model", &model("brightness")),
    ]);
    for (name, value) in properties {
        element.set_property_from_str(name, value);
    }
    element
}

/// The properties of [`tiny_element`] for a pipeline's description.
pub fn tiny_launch() -> String {
    format!(
        "detector-model={} attitude-model={}",
        model("one-face"),
        model("brightness")
    )
}

/// The caps of the frames in a pipeline's description.
pub const LAUNCH_CAPS: &str = "video/x-raw,format=I420,width=320,height=192,framerate=25/1";

/// Returns the box that `one-face.onnx` detects: left, top, width, height.
pub fn face_rect() -> (u32, u32, u32, u32) {
    (64, 32, 48, 48)
}

pub fn info(format: VideoFormat, width: u32, height: u32) -> VideoInfo {
    init();
    VideoInfo::builder(format, width, height)
        .fps(gst::Fraction::new(25, 1))
        .build()
        .unwrap()
}

/// Foreground of a frame with a grey background.
pub trait Picture {
    /// The luma at a place, `None` for the ground.
    fn luma(&self, x: u32, y: u32) -> Option<u8>;
}

/// An even brightness where `one-face.onnx` finds its face.
pub struct Patch(pub u8);

impl Picture for Patch {
    fn luma(&self, x: u32, y: u32) -> Option<u8> {
        ((56..120).contains(&x) && (24..88).contains(&y)).then_some(self.0)
    }
}

/// An average face as a square at a place.
pub struct Portrait {
    pixels: Vec<u8>,
    side: u32,
    left: u32,
    top: u32,
    drawn_side: u32,
}

impl Portrait {
    pub fn new(attitude: &str, left: u32, top: u32, drawn_side: u32) -> Self {
        let file = std::fs::File::open(fixture(&format!("{attitude}.png"))).unwrap();
        let mut reader = png::Decoder::new(std::io::BufReader::new(file))
            .read_info()
            .unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        let picture = reader.next_frame(&mut rgb).unwrap();
        let luma = |p: &[u8]| {
            (299 * u32::from(p[0]) + 587 * u32::from(p[1]) + 114 * u32::from(p[2])) / 1000
        };
        Self {
            pixels: rgb.chunks_exact(3).map(|p| luma(p) as u8).collect(),
            side: picture.width,
            left,
            top,
            drawn_side,
        }
    }
}

impl Picture for Portrait {
    fn luma(&self, x: u32, y: u32) -> Option<u8> {
        let column = x.checked_sub(self.left).filter(|&c| c < self.drawn_side)?;
        let row = y.checked_sub(self.top).filter(|&r| r < self.drawn_side)?;
        let source = |place: u32| place * self.side / self.drawn_side;
        Some(self.pixels[(source(row) * self.side + source(column)) as usize])
    }
}

/// A frame with `picture` on grey ground, in any format.
pub fn frame(info: &VideoInfo, picture: &dyn Picture) -> gst::Buffer {
    let mut buffer = gst::Buffer::with_size(info.size()).unwrap();
    buffer.get_mut().unwrap().memset(.., 128).unwrap();
    let mut frame = VideoFrame::from_buffer_writable(buffer, info).unwrap();
    let format = info.format_info();
    for component in 0..if info.is_rgb() { 3 } else { 1 } {
        let plane = format.plane()[component];
        let pixel_stride = format.pixel_stride()[component] as usize;
        let offset = format.poffset()[component] as usize;
        let stride = info.stride()[plane as usize] as usize;
        let data = frame.plane_data_mut(plane).unwrap();
        for y in 0..info.height() {
            for x in 0..info.width() {
                if let Some(luma) = picture.luma(x, y) {
                    data[y as usize * stride + x as usize * pixel_stride + offset] = luma;
                }
            }
        }
    }
    frame.into_buffer()
}

/// Writes a clip, a second of each of `pictures`, by way of `encoding`.
pub fn write_clip<P: Picture>(path: &Path, pictures: &[P], encoding: &str) {
    let info = info(VideoFormat::I420, WIDTH, HEIGHT);
    let frames = pictures.iter().flat_map(|picture| {
        let drawn = frame(&info, picture);
        std::iter::repeat_n(drawn, 25)
    });
    write_frames(path, &info, frames, encoding);
}

/// Writes a clip of `frames`, by way of `encoding`.
pub fn write_frames(
    path: &Path,
    info: &VideoInfo,
    frames: impl Iterator<Item = gst::Buffer>,
    encoding: &str,
) {
    init();
    let source = gst_app::AppSrc::builder()
        .caps(&info.to_caps().unwrap())
        .format(gst::Format::Time)
        .block(true)
        .build();
    let description = format!("{encoding} ! filesink name=file");
    let sink = gst::parse::bin_from_description(&description, true).unwrap();
    let file = sink.by_name("file").unwrap();
    file.set_property("location", path);
    let pipeline = gst::Pipeline::new();
    pipeline
        .add_many([source.upcast_ref(), sink.upcast_ref::<gst::Element>()])
        .unwrap();
    source.link(&sink).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    for (number, mut buffer) in frames.enumerate() {
        let header = buffer.make_mut();
        header.set_pts(FRAME * number as u64);
        header.set_duration(FRAME);
        source.push_buffer(buffer).unwrap();
    }
    source.end_of_stream().unwrap();
    play_to_end(&pipeline);
}

/// Waits for the end of a pipeline that plays, and takes it down.
fn play_to_end(pipeline: &impl IsA<gst::Element>) {
    let bus = pipeline.as_ref().bus().unwrap();
    let end = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = bus.timed_pop_filtered(gst::ClockTime::NONE, &end).unwrap();
    // A pipeline that goes on would keep the program from ending.
    pipeline.as_ref().set_state(gst::State::Null).unwrap();
    if message.type_() != gst::MessageType::Eos {
        panic!("{}", problem(&message));
    }
}

/// Runs the pipeline of this description to its end.
pub fn make(description: &str) {
    init();
    let pipeline = gst::parse::launch(description).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    play_to_end(&pipeline);
}

/// All bytes of a buffer.
pub fn bytes(buffer: &gst::BufferRef) -> Vec<u8> {
    buffer.map_readable().unwrap().to_vec()
}

/// A region of interest as the element attaches it.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    pub track: i32,
    pub bbox: (u32, u32, u32, u32),
    pub label: String,
    pub confidence: f64,
    /// Positive, neutral, negative; smoothed.
    pub scores: [f64; 3],
    pub is_fresh: bool,
    pub age: gst::ClockTime,
}

/// The faces that a buffer carries.
pub fn regions(buffer: &gst::BufferRef) -> Vec<Region> {
    buffer
        .iter_meta::<VideoRegionOfInterestMeta>()
        .filter(|roi| roi.roi_type() == "face")
        .map(|roi| {
            let param = |name: &str| roi.params().find(|p| p.name() == name).unwrap();
            let attitude = param("classification_layer_name:attitude");
            Region {
                track: param("object_id").get("id").unwrap(),
                bbox: roi.rect(),
                label: attitude.get("label").unwrap(),
                confidence: attitude.get("confidence").unwrap(),
                scores: ["positive", "neutral", "negative"].map(|n| attitude.get(n).unwrap()),
                is_fresh: attitude.get("fresh").unwrap(),
                age: gst::ClockTime::from_nseconds(attitude.get("age-ns").unwrap()),
            }
        })
        .collect()
}

/// The numbers of the tracks that a buffer carries.
pub fn tracks(buffer: &gst::BufferRef) -> Vec<i32> {
    regions(buffer).iter().map(|region| region.track).collect()
}

/// The records among the messages that wait on `bus`; the messages are taken.
pub fn records(bus: &gst::Bus) -> Vec<Record> {
    let is_element = &[gst::MessageType::Element];
    std::iter::from_fn(|| bus.pop_filtered(is_element))
        .map(|message| {
            AttitudeMessage::try_from(message.structure().unwrap())
                .unwrap()
                .0
        })
        .collect()
}

/// The text of the error or warning in a message.
pub fn problem(message: &gst::Message) -> String {
    match message.view() {
        gst::MessageView::Error(e) => format!("{} {}", e.error(), e.debug().unwrap_or_default()),
        gst::MessageView::Warning(w) => format!("{} {}", w.error(), w.debug().unwrap_or_default()),
        other => panic!("neither error nor warning: {other:?}"),
    }
}

/// Returns the error on the bus if `element` refuses to start.
pub fn refusal(element: &gst::Element) -> String {
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    assert!(element.set_state(gst::State::Paused).is_err());
    assert_eq!(element.current_state(), gst::State::Ready);
    let message = bus.pop_filtered(&[gst::MessageType::Error]).unwrap();
    assert!(bus.pop_filtered(&[gst::MessageType::Error]).is_none());
    element.set_state(gst::State::Null).unwrap();
    // Messages that nobody took refer to the element that holds their bus.
    bus.set_flushing(true);
    problem(&message)
}

/// A program that finds the plugin that was built with this test program, by way of `folder`, an empty
/// one.
pub fn with_plugin(program: &str, folder: &Path) -> std::process::Command {
    let tests = std::env::current_exe().unwrap();
    let plugin = tests.with_file_name("libgstattitude.so");
    assert!(plugin.exists(), "{} is not there", plugin.display());
    // Alone in a folder, because beside it are libraries of crates, which are no plugins.
    std::os::unix::fs::symlink(plugin, folder.join("libgstattitude.so")).unwrap();
    let mut command = std::process::Command::new(program);
    command
        .env("GST_PLUGIN_PATH", folder)
        .env("GST_REGISTRY", folder.join("registry.bin"));
    command
}

/// A pipeline that plays; what its `appsink name=sink` gets, up to the end.
pub struct Played {
    pipeline: gst::Element,
    sink: gst_app::AppSink,
}

impl Played {
    pub fn launch(description: &str) -> Self {
        init();
        let pipeline = gst::parse::launch(description).unwrap();
        let sink = pipeline.downcast_ref::<gst::Bin>().unwrap().by_name("sink");
        let sink = sink.unwrap().downcast::<gst_app::AppSink>().unwrap();
        sink.set_property("sync", false);
        pipeline.set_state(gst::State::Playing).unwrap();
        Self { pipeline, sink }
    }
}

impl Iterator for Played {
    type Item = gst::Buffer;

    fn next(&mut self) -> Option<gst::Buffer> {
        let sample = self.sink.try_pull_sample(gst::ClockTime::from_seconds(60));
        assert!(sample.is_some() || self.sink.is_eos(), "it hangs");
        sample.map(|sample| sample.buffer_owned().unwrap())
    }
}

impl Drop for Played {
    fn drop(&mut self) {
        self.pipeline.set_state(gst::State::Null).unwrap();
    }
}

/// A playing element between two pads, with a bus.
pub struct Rig {
    pub harness: gst_check::Harness,
    pub element: gst::Element,
    pub bus: gst::Bus,
    pub info: VideoInfo,
    /// Timestamp of the next frame.
    pub next_pts: gst::ClockTime,
}

impl Drop for Rig {
    /// Messages that nobody took refer to the element that holds their bus.
    fn drop(&mut self) {
        self.element.set_state(gst::State::Null).unwrap();
        self.bus.set_flushing(true);
    }
}

impl Rig {
    /// With the tiny models, in mode `sync`.
    pub fn tiny(properties: &[(&str, &str)]) -> Self {
        let element = tiny_element(&[("mode", "sync")]);
        for (name, value) in properties {
            element.set_property_from_str(name, value);
        }
        Self::new(element, info(VideoFormat::I420, WIDTH, HEIGHT))
    }

    pub fn new(element: gst::Element, info: VideoInfo) -> Self {
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        let harness = gst_check::Harness::with_element(&element, Some("sink"), Some("src"));
        let mut rig = Self {
            harness,
            element,
            bus,
            info: info.clone(),
            next_pts: gst::ClockTime::ZERO,
        };
        rig.set_video(info);
        rig
    }

    /// Changes the caps.
    pub fn set_video(&mut self, info: VideoInfo) {
        self.harness.set_src_caps(info.to_caps().unwrap());
        self.info = info;
    }

    /// The next frame.
    pub fn frame(&mut self, picture: &dyn Picture) -> gst::Buffer {
        let mut buffer = frame(&self.info, picture);
        let buffer_ref = buffer.get_mut().unwrap();
        buffer_ref.set_pts(self.next_pts);
        buffer_ref.set_duration(FRAME);
        self.next_pts += FRAME;
        buffer
    }

    /// The next frame, of a neutral face, after it passed.
    pub fn pass(&mut self) -> gst::Buffer {
        self.pass_face(NEUTRAL)
    }

    /// The next frame, of a face of that brightness, after it passed.
    pub fn pass_face(&mut self, luma: u8) -> gst::Buffer {
        let buffer = self.frame(&Patch(luma));
        self.push(buffer)
    }

    /// `buffer` after it passed.
    pub fn push(&mut self, buffer: gst::Buffer) -> gst::Buffer {
        self.harness.push_and_pull(buffer).unwrap()
    }

    /// The track of the only face on the next frame, after it passed.
    pub fn track(&mut self) -> i32 {
        let tracks = tracks(&self.pass());
        assert_eq!(tracks.len(), 1, "{tracks:?}");
        tracks[0]
    }

    pub fn records(&self) -> Vec<Record> {
        records(&self.bus)
    }

    /// A number of the property `stats`.
    pub fn stat(&self, name: &str) -> u64 {
        let stats: gst::Structure = self.element.property("stats");
        let value = stats.value(name).unwrap();
        value
            .get::<u64>()
            .or_else(|_| value.get::<u32>().map(u64::from))
            .unwrap()
    }

    /// A flush as a seek causes it.
    pub fn flush(&mut self) {
        assert!(self.harness.push_event(gst::event::FlushStart::new()));
        assert!(self.harness.push_event(gst::event::FlushStop::new(true)));
        self.push_segment();
    }

    /// Another stream, of the same caps.
    pub fn begin_stream(&mut self, id: &str) {
        assert!(self.harness.push_event(gst::event::StreamStart::new(id)));
        self.push_segment();
    }

    fn push_segment(&mut self) {
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        assert!(self.harness.push_event(gst::event::Segment::new(&segment)));
    }
}
