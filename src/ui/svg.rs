//! What egui would paint, as SVG: lines as lines, text as text, maps as images.

use std::collections::HashMap;
use std::fmt::Write as _;

use egui::epaint::{
    CircleShape, ClippedShape, ColorMode, Mesh, PathShape, PathStroke, RectShape, TextShape,
};
use egui::{Color32, ColorImage, FontFamily, Pos2, Rect, Shape, Stroke, StrokeKind, TextureId};

/// Pictures that shapes refer to.
pub type Textures = HashMap<TextureId, ColorImage>;

/// The shapes inside `area`, as an SVG document of its size.
#[must_use]
pub fn svg(
    shapes: &[ClippedShape],
    textures: &Textures,
    area: Rect,
    background: Color32,
) -> String {
    let mut writer = Writer {
        out: String::new(),
        textures,
        n_clips: 0,
    };
    let (width, height) = (area.width(), area.height());
    let _ = write!(
        writer.out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"{} {} {width} {height}\">\n<rect x=\"{}\" y=\"{}\" width=\"{width}\" \
         height=\"{height}\" {}/>\n",
        area.left(),
        area.top(),
        area.left(),
        area.top(),
        paint("fill", background)
    );
    for clipped in shapes {
        let clip = clipped.clip_rect.intersect(area);
        if clip.is_positive() {
            writer.clipped(&clipped.shape, clip, area);
        }
    }
    writer.out.push_str("</svg>\n");
    writer.out
}

struct Writer<'a> {
    out: String,
    textures: &'a Textures,
    n_clips: usize,
}

impl Writer<'_> {
    fn clipped(&mut self, shape: &Shape, clip: Rect, area: Rect) {
        let bounds = shape.visual_bounding_rect();
        if matches!(shape, Shape::Noop) || !bounds.intersects(clip) && bounds.is_positive() {
            return;
        }
        let is_inside = clip == area || clip.contains_rect(bounds);
        if !is_inside {
            self.n_clips += 1;
            let n = self.n_clips;
            let _ = write!(
                self.out,
                "<clipPath id=\"c{n}\"><rect {}/></clipPath><g clip-path=\"url(#c{n})\">",
                corners(clip)
            );
        }
        self.shape(shape);
        if !is_inside {
            self.out.push_str("</g>\n");
        }
    }

    fn shape(&mut self, shape: &Shape) {
        match shape {
            Shape::Noop | Shape::Callback(_) | Shape::Band(_) => {}
            Shape::Vec(shapes) => shapes.iter().for_each(|shape| self.shape(shape)),
            Shape::Circle(circle) => self.circle(circle),
            Shape::Ellipse(ellipse) => {
                let (c, r) = (ellipse.center, ellipse.radius);
                let (fill, stroke) = (paint("fill", ellipse.fill), line(&ellipse.stroke));
                let _ = writeln!(
                    self.out,
                    "<ellipse cx=\"{}\" cy=\"{}\" rx=\"{}\" ry=\"{}\" {fill} {stroke}/>",
                    c.x, c.y, r.x, r.y
                );
            }
            Shape::LineSegment { points, stroke } => {
                self.path(points, false, Color32::TRANSPARENT, &line(stroke))
            }
            Shape::Path(path) => self.path_shape(path),
            Shape::Rect(rect) => self.rect(rect),
            Shape::Text(text) => self.text(text),
            Shape::Mesh(mesh) => self.mesh(mesh),
            Shape::QuadraticBezier(curve) => {
                self.path(
                    &curve.flatten(None),
                    curve.closed,
                    curve.fill,
                    &path_line(&curve.stroke),
                );
            }
            Shape::CubicBezier(curve) => {
                self.path(
                    &curve.flatten(None),
                    curve.closed,
                    curve.fill,
                    &path_line(&curve.stroke),
                );
            }
        }
    }

    fn circle(&mut self, circle: &CircleShape) {
        let (fill, stroke) = (paint("fill", circle.fill), line(&circle.stroke));
        let (c, r) = (circle.center, circle.radius);
        let _ = writeln!(
            self.out,
            "<circle cx=\"{}\" cy=\"{}\" r=\"{r}\" {fill} {stroke}/>",
            c.x, c.y
        );
    }

    fn path_shape(&mut self, path: &PathShape) {
        self.path(
            &path.points,
            path.closed,
            path.fill,
            &path_line(&path.stroke),
        );
    }

    fn path(&mut self, points: &[Pos2], is_closed: bool, fill: Color32, stroke: &str) {
        let places: Vec<String> = points
            .iter()
            .map(|at| format!("{},{}", at.x, at.y))
            .collect();
        let tag = if is_closed { "polygon" } else { "polyline" };
        let _ = writeln!(
            self.out,
            "<{tag} points=\"{}\" {} {stroke}/>",
            places.join(" "),
            paint("fill", fill)
        );
    }

    fn rect(&mut self, shape: &RectShape) {
        if let Some(brush) = &shape.brush {
            return self.image(brush.fill_texture_id, brush.uv, shape.rect);
        }
        // Only shadows are blurred; a drawing on paper has none.
        if shape.blur_width > 0.0 {
            return;
        }
        let inset = match shape.stroke_kind {
            StrokeKind::Inside => shape.stroke.width / 2.0,
            StrokeKind::Middle => 0.0,
            StrokeKind::Outside => -shape.stroke.width / 2.0,
        };
        let inset = if shape.stroke.is_empty() { 0.0 } else { inset };
        let radius = f32::from(shape.corner_radius.nw).min(shape.rect.height() / 2.0);
        let _ = writeln!(
            self.out,
            "<rect {} rx=\"{radius}\" {} {}/>",
            corners(shape.rect.shrink(inset)),
            paint("fill", shape.fill),
            line(&shape.stroke)
        );
    }

    /// A part of a picture, each of its pixels a square.
    fn image(&mut self, id: TextureId, uv: Rect, at: Rect) {
        let Some(image) = self.textures.get(&id) else {
            return;
        };
        let Some(data) = png_of(image, uv) else {
            return;
        };
        let _ = writeln!(
            self.out,
            "<image {} preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" \
             href=\"data:image/png;base64,{}\"/>",
            corners(at),
            crate::export::base64(&data)
        );
    }

    fn mesh(&mut self, mesh: &Mesh) {
        if mesh.texture_id != TextureId::default() {
            let uv = mesh.vertices.iter().map(|vertex| vertex.uv);
            return self.image(
                mesh.texture_id,
                Rect::from_points(&uv.collect::<Vec<_>>()),
                mesh.calc_bounds(),
            );
        }
        for three in mesh.indices.as_chunks::<3>().0 {
            let corners = three.map(|index| mesh.vertices.get(index as usize));
            let [Some(a), Some(b), Some(c)] = corners else {
                continue;
            };
            let fill = a
                .color
                .lerp_to_gamma(b.color, 0.5)
                .lerp_to_gamma(c.color, 1.0 / 3.0);
            self.path(&[a.pos, b.pos, c.pos], true, fill, "");
        }
    }

    fn text(&mut self, shape: &TextShape) {
        let turned = shape.angle != 0.0;
        if turned {
            let (degrees, at) = (shape.angle.to_degrees(), shape.pos);
            let _ = write!(
                self.out,
                "<g transform=\"rotate({degrees} {} {})\">",
                at.x, at.y
            );
        }
        for run in runs(shape) {
            let font = &run.format.font_id;
            let (family, weight) = family(&font.family);
            let colour = shape.override_text_color.unwrap_or(run.format.color);
            let colour = match colour == Color32::PLACEHOLDER {
                true => shape.fallback_color,
                false => colour,
            };
            let colour = colour.gamma_multiply(shape.opacity_factor);
            // The width as it was laid out, so that another font overlaps nothing.
            let _ = writeln!(
                self.out,
                "<text x=\"{}\" y=\"{}\" font-family=\"{family}\" font-weight=\"{weight}\" \
                 font-size=\"{}\" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\" \
                 xml:space=\"preserve\" {}>{}</text>",
                run.at.x,
                run.at.y,
                font.size,
                run.width,
                paint("fill", colour),
                crate::export::escaped(&run.text)
            );
        }
        if turned {
            self.out.push_str("</g>\n");
        }
    }
}

/// Neighbouring letters of one format, in one row.
struct Run<'a> {
    text: String,
    at: Pos2,
    width: f32,
    format: &'a egui::TextFormat,
}

fn runs(shape: &TextShape) -> Vec<Run<'_>> {
    let galley = &shape.galley;
    let mut runs: Vec<Run<'_>> = Vec::new();
    let mut byte = 0;
    for row in &galley.rows {
        let mut open: Option<(usize, Run<'_>)> = None;
        for glyph in &row.glyphs {
            let section = galley.job.sections.iter().position(|section| {
                (section.byte_range.start.0..section.byte_range.end.0).contains(&byte)
            });
            byte += glyph.chr.len_utf8();
            // What was cut off is written with the last format.
            let last = galley.job.sections.len().saturating_sub(1);
            let section = section.unwrap_or(last);
            let Some(format) = galley.job.sections.get(section).map(|one| &one.format) else {
                continue;
            };
            match &mut open {
                Some((of, run)) if *of == section => {
                    run.text.push(glyph.chr);
                    run.width += glyph.advance_width;
                }
                _ => {
                    runs.extend(open.take().map(|(_, run)| run));
                    let at = shape.pos + row.pos.to_vec2() + glyph.pos.to_vec2();
                    let run = Run {
                        text: glyph.chr.to_string(),
                        at,
                        width: glyph.advance_width,
                        format,
                    };
                    open = Some((section, run));
                }
            }
        }
        runs.extend(open.take().map(|(_, run)| run));
        byte += usize::from(row.ends_with_newline);
    }
    runs.retain(|run| !run.text.trim().is_empty());
    runs
}

fn family(family: &FontFamily) -> (&'static str, u16) {
    const INTER: &str = "Inter, system-ui, sans-serif";
    const MONO: &str = "'JetBrains Mono', ui-monospace, monospace";
    match family {
        FontFamily::Monospace => (MONO, 400),
        FontFamily::Proportional => (INTER, 400),
        FontFamily::Name(name) if name.contains("Mono") => (MONO, 500),
        FontFamily::Name(name) if name.contains("SemiBold") => (INTER, 600),
        FontFamily::Name(_) => (INTER, 500),
    }
}

fn corners(rect: Rect) -> String {
    let (width, height) = (rect.width().max(0.0), rect.height().max(0.0));
    format!(
        "x=\"{}\" y=\"{}\" width=\"{width}\" height=\"{height}\"",
        rect.left(),
        rect.top()
    )
}

/// `fill="#aabbcc"`, with its opacity where it is not whole.
fn paint(what: &str, colour: Color32) -> String {
    let [r, g, b, a] = colour.to_srgba_unmultiplied();
    match a {
        0 => format!("{what}=\"none\""),
        255 => format!("{what}=\"#{r:02x}{g:02x}{b:02x}\""),
        a => format!(
            "{what}=\"#{r:02x}{g:02x}{b:02x}\" {what}-opacity=\"{:.3}\"",
            f32::from(a) / 255.0
        ),
    }
}

fn line(stroke: &Stroke) -> String {
    match stroke.is_empty() {
        true => String::new(),
        false => format!(
            "{} stroke-width=\"{}\"",
            paint("stroke", stroke.color),
            stroke.width
        ),
    }
}

fn path_line(stroke: &PathStroke) -> String {
    match &stroke.color {
        ColorMode::Solid(colour) => line(&Stroke::new(stroke.width, *colour)),
        ColorMode::UV(_) => String::new(),
    }
}

/// The part `uv` of a picture as a PNG.
fn png_of(image: &ColorImage, uv: Rect) -> Option<Vec<u8>> {
    let [width, height] = image.size;
    let pixel =
        |share: f32, size: usize| ((share * size as f32).round().max(0.0) as usize).min(size);
    let (left, right) = (pixel(uv.left(), width), pixel(uv.right(), width));
    let (top, bottom) = (pixel(uv.top(), height), pixel(uv.bottom(), height));
    let mut bytes = Vec::new();
    for y in top..bottom {
        let row = image.pixels.get(y * width + left..y * width + right)?;
        bytes.extend(row.iter().flat_map(|pixel| pixel.to_srgba_unmultiplied()));
    }
    let (columns, rows) = (right.checked_sub(left)?, bottom.checked_sub(top)?);
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, columns as u32, rows as u32);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().ok()?.write_image_data(&bytes).ok()?;
    Some(file)
}
