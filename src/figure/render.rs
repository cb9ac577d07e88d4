//! From the drawing to the two written forms.

use std::sync::LazyLock;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Indent, Options, Tree, WriteOptions};

use super::FigureError;
use super::fonts;
use super::text::escape;

/// Pixels of the bitmap to a pixel of the drawing.
const SCALE: f32 = 2.0;

static OPTIONS: LazyLock<Options<'static>> = LazyLock::new(|| Options {
    fontdb: fonts::database(),
    font_family: fonts::FAMILY.to_owned(),
    ..Options::default()
});

/// The drawing with its text turned into outlines.
pub(super) fn outlines(drawing: &str) -> Result<Tree, FigureError> {
    Tree::from_str(drawing, &OPTIONS).map_err(|error| FigureError::Outlines(error.to_string()))
}

/// The vector drawing: as large as it was drawn, and scaling with the page it is put on.
pub(super) fn svg(tree: &Tree, name: &str) -> String {
    let written = tree.to_string(&WriteOptions {
        preserve_text: false,
        coordinates_precision: 1,
        transforms_precision: 5,
        indent: Indent::None,
        ..WriteOptions::default()
    });
    let (width, height) = (tree.size().width(), tree.size().height());
    let body = written.strip_prefix("<svg ").unwrap_or(&written);
    let (attributes, body) = body.split_once('>').unwrap_or(("", body));
    let name = escape(name);
    format!(
        "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" {attributes}><title>{name}</title>{body}\n"
    )
}

/// The bitmap of the same drawing.
pub(super) fn png(tree: &Tree) -> Result<Vec<u8>, FigureError> {
    let size = tree.size();
    let pixels = |length: f32| (length * SCALE).ceil() as u32;
    let (width, height) = (pixels(size.width()), pixels(size.height()));
    let mut pixmap = Pixmap::new(width, height).ok_or_else(|| {
        FigureError::Bitmap(format!(
            "{width} × {height} pixels cannot be held in memory"
        ))
    })?;
    resvg::render(
        tree,
        Transform::from_scale(SCALE, SCALE),
        &mut pixmap.as_mut(),
    );
    pixmap
        .encode_png()
        .map_err(|error| FigureError::Bitmap(error.to_string()))
}
