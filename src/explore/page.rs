//! Writes `index.html` next to the sheets: one static file that needs no network access.

mod plot;

use std::fmt::Write;
use std::path::Path;

use serde::Serialize;

use super::best::Best;
use super::gallery::Sheet;
use super::pictures::Entry;
use super::state::State;
use super::survey::Plan;
use super::{ExploreError, publish};
use crate::stylize::backbone::LayerShape;

const CSS: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// The data passed to the script.
#[derive(Serialize)]
struct Data<'a> {
    entries: Vec<EntryData>,
    layers: Vec<LayerData<'a>>,
}

#[derive(Serialize)]
struct EntryData {
    name: String,
    video: bool,
}

#[derive(Serialize)]
struct LayerData<'a> {
    name: &'a str,
    /// Side of a tile, in pixels.
    side: usize,
    sheets: Vec<SheetData<'a>>,
}

#[derive(Serialize)]
struct SheetData<'a> {
    file: &'a str,
    width: usize,
    height: usize,
    units: Vec<UnitData>,
}

#[derive(Serialize)]
struct UnitData {
    unit: usize,
    /// Receptive field in pixels, along one axis.
    field: i64,
    best: Vec<BestData>,
    /// Top left corners of the patch and of its projection on the sheet.
    tiles: Vec<[(usize, usize); 2]>,
}

#[derive(Serialize)]
struct BestData {
    value: f32,
    entry: usize,
    frame: u64,
    seconds: Option<f64>,
    y: i64,
    x: i64,
}

impl From<&Best> for BestData {
    fn from(best: &Best) -> Self {
        let Best { value, place, seconds, y, x } = *best;
        Self { value, entry: place.entry, frame: place.frame, seconds, y, x }
    }
}

/// Sheets of one picture's feature maps.
#[derive(Debug, Clone, Default)]
pub struct Activations {
    pub picture: String,
    /// Layer and file name of each sheet.
    pub sheets: Vec<(String, String)>,
}

/// Writes the page.
///
/// # Errors
/// If the folder cannot be written to.
pub fn write(plan: &Plan<'_>, state: &State, sheets: &[Sheet], activations: &Activations) -> Result<(), ExploreError> {
    let shapes = plan.probe.shapes();
    let path = plan.folder.join("index.html");
    let title = format!("What {} learned", plan.probe.name());
    let mut html = String::with_capacity(1 << 20);
    head(&mut html, &title);
    let counted = |n: u64, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
    let skipped = match state.broken.len() as u64 {
        0 => String::new(),
        n => format!(", {} skipped", counted(n, "input")),
    };
    // Writing to a string cannot fail, here and below.
    let _ = write!(
        html,
        "<header><h1>{}</h1><p class=\"soft\">{} from {}{skipped}, at most {} pixels wide or high. Of each unit the \
         nine patches that excite it most, at most one of a picture, and what of each patch does so, projected down to the \
         pixels by a deconvnet (Zeiler &amp; Fergus 2013): grey is nothing. Open a unit for its values; <kbd>←</kbd> \
         <kbd>→</kbd> show the next, <kbd>Esc</kbd> closes it.</p></header>",
        escaped(&title),
        counted(state.pictures, "picture"),
        counted(state.key.entries.len() as u64, "input"),
        state.key.size,
    );
    // Without inputs there are only feature maps.
    let seen = if state.key.entries.is_empty() { &[] } else { state.key.layers.as_slice() };
    let names = |name: &str| format!("<a href=\"#{0}\">{0}</a>", escaped(name));
    let links: Vec<String> = seen.iter().map(|name| names(name)).collect();
    let _ = write!(html, "<nav><div><a href=\"#fields\">receptive fields</a>{}</div></nav><main>", links.concat());
    fields(&mut html, shapes, state.key.size);
    for (index, name) in seen.iter().enumerate() {
        layer(&mut html, &shapes[plan.layers[index]], name, state, index, sheets);
    }
    activation_section(&mut html, activations);
    broken_section(&mut html, state);
    let json = serde_json::to_string(&data(plan, state, sheets)).unwrap_or_default();
    // The JSON must not contain anything that ends the script element.
    let json = json.replace('<', "\\u003c");
    let _ = write!(
        html,
        "</main><footer><p class=\"soft\">Made by stylize-video {}.</p></footer>\
         <dialog id=\"unit\" aria-labelledby=\"unit-title\"></dialog>\
         <script id=\"data\" type=\"application/json\">{json}</script>\n<script>\n{SCRIPT}</script></body></html>\n",
        env!("CARGO_PKG_VERSION")
    );
    publish(&path, html.as_bytes())
}

fn head(html: &mut String, title: &str) {
    let _ = write!(
        html,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><link rel=\"icon\" href=\"data:,\"><title>{}</title>\
         <style>\n{CSS}</style></head><body>",
        escaped(title)
    );
}

/// Writes the table and plot of the receptive fields of all layers, whether they are shown or not.
fn fields(html: &mut String, shapes: &[LayerShape], size: usize) {
    html.push_str(
        "<section id=\"fields\"><h2>Receptive fields</h2><p>How many pixels a unit sees, along one side of a square: \
         later layers see a larger region of the picture.</p><div class=\"fields\"><table><thead><tr><th>layer</th>\
         <th>units</th><th>stride</th><th>receptive field</th></tr></thead><tbody>",
    );
    for LayerShape { name, channels, field } in shapes {
        let _ = write!(
            html,
            "<tr><td>{}</td><td>{channels}</td><td>{}</td><td>{}</td></tr>",
            escaped(name),
            field.jump,
            field.size
        );
    }
    let _ = write!(html, "</tbody></table>{}</div></section>", plot::svg(shapes, size));
}

fn layer(html: &mut String, shape: &LayerShape, name: &str, state: &State, index: usize, sheets: &[Sheet]) {
    let LayerShape { channels, field, .. } = shape;
    let mine: Vec<&Sheet> = sheets.iter().filter(|sheet| sheet.layer == index).collect();
    let shown: usize = mine.iter().map(|sheet| sheet.units.len()).sum();
    let found = &state.layers[index];
    let dead = found.units.iter().filter(|nine| nine.peak() <= 0.0).count();
    let mut facts =
        format!("{shown} of {channels} units; each sees {0} x {0} pixels, every {1}", field.size, field.jump);
    if dead > 0 {
        let _ = write!(facts, "; {dead} never active");
    }
    if found.too_small > 0 {
        let _ = write!(facts, "; {} pictures were too small for it", found.too_small);
    }
    let name = escaped(name);
    let _ = write!(
        html,
        "<section id=\"{name}\"><h2>{name}</h2><p class=\"soft\">{facts}</p><ul class=\"units\" \
         data-layer=\"{name}\"></ul>"
    );
    for sheet in mine {
        let file = escaped(&sheet.file);
        let _ = write!(
            html,
            "<details><summary>whole sheet: {file}</summary><img loading=\"lazy\" src=\"{}\" alt=\"Patches and \
             projections of {name}\"></details>",
            escaped(&encoded(&sheet.file))
        );
    }
    html.push_str("</section>");
}

fn activation_section(html: &mut String, Activations { picture, sheets }: &Activations) {
    if sheets.is_empty() {
        return;
    }
    let _ = write!(html, "<section id=\"activations\"><h2>Feature maps of {}</h2>", escaped(picture));
    for (layer, file) in sheets {
        let (layer, source) = (escaped(layer), escaped(&encoded(file)));
        let _ = write!(
            html,
            "<details><summary>{layer}</summary><img loading=\"lazy\" src=\"{source}\" alt=\"Feature maps of \
             {layer}\"></details>"
        );
    }
    html.push_str("</section>");
}

fn broken_section(html: &mut String, state: &State) {
    if state.broken.is_empty() {
        return;
    }
    html.push_str("<section><h2>Skipped</h2><ul>");
    for (_, why) in &state.broken {
        let _ = write!(html, "<li>{}</li>", escaped(why));
    }
    html.push_str("</ul></section>");
}

fn data<'a>(plan: &Plan<'_>, state: &'a State, sheets: &'a [Sheet]) -> Data<'a> {
    let entry = |Entry { path, video, .. }: &Entry| EntryData {
        name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        video: *video,
    };
    let shown = if state.key.entries.is_empty() { &[] } else { state.key.layers.as_slice() };
    let layers = shown.iter().enumerate().map(|(index, name)| {
        let mine: Vec<&Sheet> = sheets.iter().filter(|sheet| sheet.layer == index).collect();
        LayerData {
            name,
            side: mine.first().map_or(1, |sheet| sheet.layout(plan).side),
            sheets: mine.into_iter().map(|sheet| sheet_data(plan, state, sheet)).collect(),
        }
    });
    Data { entries: state.key.entries.iter().map(entry).collect(), layers: layers.collect() }
}

fn sheet_data<'a>(plan: &Plan<'_>, state: &State, sheet: &'a Sheet) -> SheetData<'a> {
    let layout = sheet.layout(plan);
    let layer = plan.layers[sheet.layer];
    let units = sheet.units.iter().enumerate().map(|(block, &unit)| {
        let nine = state.layers[sheet.layer].units.get(unit);
        let best: Vec<BestData> = nine.into_iter().flat_map(|nine| nine.iter()).map(BestData::from).collect();
        UnitData {
            unit,
            field: plan.probe.field(layer, unit).size,
            tiles: (0..best.len()).map(|k| layout.tiles(block, k)).collect(),
            best,
        }
    });
    SheetData { file: &sheet.file, width: layout.width(), height: layout.height(), units: units.collect() }
}

/// Escapes text for HTML content and attributes.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Encodes a file name as a relative URL.
fn encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    name.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Returns the path of the page.
pub fn path(folder: &Path) -> std::path::PathBuf {
    folder.join("index.html")
}
