//! Charts of what was measured, as SVG: groups of bars with their numbers above them.

use std::fmt::Write as _;

use super::tenths;

const WIDTH: u64 = 860;
/// Of the tallest bar.
const HEIGHT: u64 = 240;
/// Above the bars: title and legend.
const ABOVE: u64 = 84;
const BELOW: u64 = 36;
const COLOURS: [&str; 5] = ["#0059b3", "#8a8d91", "#b8860b", "#a0522d", "#cdd3da"];

/// Bars in groups. Every group has a bar for each series, or none in its place.
pub struct Chart<'a> {
    pub title: &'a str,
    pub series: &'a [&'a str],
    /// The name of a group, and its values in tenths.
    pub groups: Vec<(String, Vec<Option<u64>>)>,
}

impl Chart<'_> {
    pub fn svg(&self) -> String {
        let values = self.groups.iter().flat_map(|(_, values)| values).flatten();
        let most = values.copied().max().unwrap_or_default().max(1);
        let (groups, series) = (self.groups.len().max(1) as u64, self.series.len().max(1) as u64);
        let group = (WIDTH - 40) / groups;
        // A bar is as wide as its number needs, and no wider than it looks well.
        let bar = ((group - 24) / series).min(64);
        let (mut svg, base) = (String::new(), ABOVE + HEIGHT);
        let mut add = |line: String| {
            svg.push_str(&line);
            svg.push('\n');
        };
        add(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\" font-family=\"sans-serif\" font-size=\"12\">",
            base + BELOW
        ));
        add(format!("<title>{}</title>", self.title));
        add("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>".to_owned());
        add(format!(
            "<text x=\"20\" y=\"26\" font-size=\"16\" fill=\"#17324d\">{}</text>",
            self.title
        ));
        let mut x = 20;
        for (name, colour) in self.series.iter().zip(COLOURS) {
            add(format!(
                "<rect x=\"{x}\" y=\"42\" width=\"12\" height=\"12\" fill=\"{colour}\"/>"
            ));
            add(format!(
                "<text x=\"{}\" y=\"52\" fill=\"#17324d\">{name}</text>",
                x + 18
            ));
            x += 40 + 7 * name.len() as u64;
        }
        for ((name, values), number) in self.groups.iter().zip(0..) {
            let left = 20 + group * number + (group - bar * series) / 2;
            for ((value, colour), place) in values.iter().zip(COLOURS).zip(0..) {
                let Some(value) = value else { continue };
                let (height, x) = ((value * HEIGHT / most).max(1), left + bar * place);
                let (top, middle) = (base - height, x + bar / 2);
                add(format!(
                    "<rect x=\"{}\" y=\"{top}\" width=\"{}\" height=\"{height}\" fill=\"{colour}\"/>",
                    x + 2,
                    bar - 4
                ));
                add(format!(
                    "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" fill=\"#17324d\">{}</text>",
                    top - 5,
                    tenths(*value)
                ));
            }
            add(format!(
                "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" fill=\"#17324d\">{name}</text>",
                20 + group * number + group / 2,
                base + 22
            ));
        }
        add(format!(
            "<path d=\"M20 {base}H{}\" stroke=\"#17324d\"/>",
            WIDTH - 20
        ));
        let _ = writeln!(svg, "</svg>");
        svg
    }
}
