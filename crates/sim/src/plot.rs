//! Cold starts against idle memory, a panel per trace and a curve per policy, as SVG.

use std::fmt::Write as _;

use crate::report::Row;

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 130.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 44.0;
const COLORS: [&str; 7] = ["#1f6fb2", "#d1495b", "#2e8b57", "#e08e0b", "#7b5ea7", "#555555", "#0aa3a3"];

/// Two axes with logarithmic scales.
struct Panel<'a> {
    rows: Vec<&'a Row>,
    x: (f64, f64),
    y: (f64, f64),
    top: f64,
}

/// The plot of all rows.
pub fn plot(rows: &[Row]) -> String {
    let mut traces: Vec<&str> = Vec::new();
    for row in rows {
        if !traces.contains(&row.trace.as_str()) {
            traces.push(&row.trace);
        }
    }
    let panels = f64::from(u32::try_from(traces.len()).unwrap_or(u32::MAX));
    let height = HEIGHT * panels;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"11\">\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    let mut top = 0.0;
    for trace in traces {
        Panel::new(rows.iter().filter(|row| row.trace == trace).collect(), top).draw(trace, &mut svg);
        top += HEIGHT;
    }
    svg.push_str("</svg>\n");
    svg
}

/// A call to it cannot fail: it writes to a string.
macro_rules! put {
    ($svg:expr, $($text:tt)*) => { let _infallible = writeln!($svg, $($text)*).is_ok(); };
}

impl<'a> Panel<'a> {
    fn new(rows: Vec<&'a Row>, top: f64) -> Self {
        let x = span(rows.iter().map(|row| row.idle_gib_s));
        let y = span(rows.iter().map(|row| count(row.cold_starts)));
        Self { rows, x, y, top }
    }

    fn x(&self, idle: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * share(idle, self.x)
    }

    fn y(&self, cold: f64) -> f64 {
        self.top + HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share(cold, self.y)
    }

    fn draw(&self, trace: &str, svg: &mut String) {
        let middle = LEFT + (WIDTH - LEFT - RIGHT) / 2.0;
        put!(svg, "<text x=\"{LEFT}\" y=\"{}\" font-size=\"13\">{}</text>", self.top + 20.0, escaped(trace));
        let caption = self.top + HEIGHT - 8.0;
        put!(svg, "<text x=\"{middle}\" y=\"{caption}\" text-anchor=\"middle\">idle memory, GiB·s</text>");
        let (x, y) = (16.0, self.top + HEIGHT / 2.0);
        put!(
            svg,
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" transform=\"rotate(-90 {x} {y})\">cold starts</text>"
        );
        self.grid(svg);
        let mut families: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !families.contains(&row.family()) {
                families.push(row.family());
            }
        }
        for (index, family) in families.iter().enumerate() {
            self.curve(family, index, svg);
        }
    }

    fn grid(&self, svg: &mut String) {
        let (left, right) = (LEFT, WIDTH - RIGHT);
        let (top, bottom) = (self.top + TOP, self.top + HEIGHT - BOTTOM);
        for tick in ticks(self.x) {
            let x = self.x(tick);
            put!(svg, "<line x1=\"{x:.1}\" y1=\"{top}\" x2=\"{x:.1}\" y2=\"{bottom}\" stroke=\"#ddd\"/>");
            put!(svg, "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>", bottom + 14.0, short(tick));
        }
        for tick in ticks(self.y) {
            let y = self.y(tick);
            put!(svg, "<line x1=\"{left}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\" stroke=\"#ddd\"/>");
            put!(svg, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>", left - 6.0, y + 4.0, short(tick));
        }
    }

    fn curve(&self, family: &str, index: usize, svg: &mut String) {
        let color = COLORS[index % COLORS.len()];
        let mut rows: Vec<&&Row> = self.rows.iter().filter(|row| row.family() == family).collect();
        rows.sort_by(|a, b| a.idle_gib_s.total_cmp(&b.idle_gib_s));
        let place = |row: &Row| (self.x(row.idle_gib_s), self.y(count(row.cold_starts)));
        let points: Vec<String> = rows.iter().map(|row| place(row)).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        put!(svg, "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\"/>", points.join(" "));
        for row in rows {
            let (x, y) = place(row);
            let title = format!("{}: {} cold starts, {} GiB·s idle", row.policy, row.cold_starts, row.idle_gib_s);
            let title = escaped(&title);
            put!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{color}\"><title>{title}</title></circle>");
            if let Some((_, parameter)) = row.policy.split_once(':') {
                let (x, y, text) = (x + 5.0, y - 4.0, escaped(parameter));
                put!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"8\" fill=\"{color}\">{text}</text>");
            }
        }
        let below = 16.0 * f64::from(u32::try_from(index).unwrap_or(u32::MAX));
        let (x, y) = (WIDTH - RIGHT + 14.0, self.top + TOP + 10.0 + below);
        put!(svg, "<circle cx=\"{x}\" cy=\"{}\" r=\"4\" fill=\"{color}\"/>", y - 4.0);
        put!(svg, "<text x=\"{}\" y=\"{y}\">{}</text>", x + 10.0, escaped(family));
    }
}

fn count(calls: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
    let calls = calls as f64;
    calls
}

/// The values' range, a little wider, never empty. What is not positive has no place on a logarithmic scale and lies at its edge.
fn span(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let positive = values.filter(|value| *value > 0.0);
    let low = positive.clone().fold(f64::INFINITY, f64::min);
    let high = positive.fold(f64::NEG_INFINITY, f64::max);
    if low > high { (1.0, 10.0) } else { (low / 1.2, high * 1.2) }
}

fn share(value: f64, (low, high): (f64, f64)) -> f64 {
    ((value.max(low) / low).ln() / (high / low).ln()).clamp(0.0, 1.0)
}

/// 1, 2 and 5 times the powers of ten that lie in the span; only the powers if those are many, and each digit if they are few.
fn ticks((low, high): (f64, f64)) -> Vec<f64> {
    #[expect(clippy::cast_possible_truncation, reason = "logarithms are small")]
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let factors: &[f64] = match () {
        () if last - first > 4 => &[1.0],
        () if high / low > 8.0 => &[1.0, 2.0, 5.0],
        () => &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0],
    };
    let all = (first..=last).flat_map(|power| factors.iter().map(move |factor| factor * 10f64.powi(power)));
    all.filter(|tick| (low..=high).contains(tick)).collect()
}

fn short(value: f64) -> String {
    match value {
        _ if value >= 1e6 => format!("{}M", value / 1e6),
        _ if value >= 1e3 => format!("{}k", value / 1e3),
        _ => format!("{value}"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
