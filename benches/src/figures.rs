//! Numbers: medians, contests of several candidates in turns, and digits in groups.

/// How many rounds the command line asks for.
pub fn rounds(usual: usize) -> usize {
    let asked = std::env::args().nth(1);
    asked.map_or(usual, |asked| asked.parse().expect("the number of rounds"))
}

/// The middle of some values.
pub fn median(values: &[f64]) -> f64 {
    percentile(values, 0.5)
}

/// The value below which that share of all values lies.
pub fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() as f64 * share) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// A whole number with its digits in groups of three.
pub fn group(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut text = String::from(if number <= -0.5 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Candidates that are measured in turns, so that whatever else the machine does meets all alike.
pub struct Contest {
    names: Vec<&'static str>,
    values: Vec<Vec<f64>>,
}

impl Contest {
    /// A contest of these candidates.
    pub fn new(names: &[&'static str]) -> Self {
        Self { names: names.to_vec(), values: vec![Vec::new(); names.len()] }
    }

    /// Takes one round's value of one candidate.
    pub fn add(&mut self, name: &str, value: f64) {
        let at = self.names.iter().position(|known| *known == name);
        self.values[at.expect("a candidate of this contest")].push(value);
    }

    /// A candidate's median.
    pub fn median(&self, name: &str) -> f64 {
        median(self.of(name))
    }

    /// The median of the ratio of two candidates in the same round.
    pub fn ratio(&self, name: &str, against: &str) -> f64 {
        let pairs = self.of(name).iter().zip(self.of(against));
        median(&pairs.map(|(one, other)| one / other).collect::<Vec<_>>())
    }

    fn of(&self, name: &str) -> &[f64] {
        let at = self.names.iter().position(|known| *known == name);
        &self.values[at.expect("a candidate of this contest")]
    }
}
