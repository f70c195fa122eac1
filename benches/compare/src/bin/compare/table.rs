//! The report as Markdown, ready to be pasted into a document.

use std::collections::BTreeMap;

use crate::correctness::{Meeting, TRIES};
use crate::figures::{median, ratio, spread};
use crate::outage::{Outage, RECOVERY_LIMIT};
use crate::report::Report;
use crate::speed::{Measured, Route};

/// All tables; those that would be empty are left out.
pub fn markdown(report: &Report) -> String {
    let mut text = heading(report);
    for route in Route::ALL {
        text += &speed(report, route);
    }
    text += &costs(report);
    text += &correctness(report);
    text += &outages(report);
    text += &targets(report);
    text += &remarks(report);
    text
}

fn heading(report: &Report) -> String {
    let setting = &report.setting;
    let threads = if setting.workers == 1 { "thread" } else { "threads" };
    let mut text = format!(
        "Measured on {} cores ({}) with {}; {} worker {threads} per application.",
        setting.cores, setting.processor, setting.server, setting.workers
    );
    if report.has_speed() {
        text += &format!(
            " Rates are medians of {} round(s) of {} s in turn (lowest to highest), by `wrk -t1 -c64`.",
            report.rounds, report.seconds
        );
    }
    text + &format!("\n\nVersions: {}.\n", setting.packages.join(", "))
}

fn speed(report: &Report, route: Route) -> String {
    let columns = "requests/s | of no session | p50 | p99 | Redis commands | bytes to and from \
                   Redis | Redis CPU | its own CPU";
    let rows = report.libraries.iter().filter_map(|library| {
        let measured = library.speed.get(&route)?;
        let of_none = report
            .find(library.bare)
            .and_then(|bare| ratio(library.rates(route), bare.rates(route)));
        Some(format!(
            "{} | {} | {} | {} | {} | {} | {} | {} | {}",
            library.name,
            rates(&measured.requests_per_second),
            of_none.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}")),
            millis(&measured.p50_micros),
            millis(&measured.p99_micros),
            command_count(measured),
            middle(&measured.redis_bytes, whole),
            middle(&measured.redis_cpu_micros, |micros| format!("{micros:.1} µs")),
            middle(&measured.app_cpu_micros, |micros| format!("{micros:.1} µs")),
        ))
    });
    table(&format!("`{}`", route.path()), columns, rows)
}

fn costs(report: &Report) -> String {
    let columns = "memory after all rounds (peak) | commands of a read | commands of a write";
    let rows = report.libraries.iter().filter_map(|library| {
        let memory = library.memory?;
        let commands = |route| library.speed.get(&route).map_or_else(String::new, command_names);
        let mib = |kib: u64| kib as f64 / 1024.0;
        Some(format!(
            "{} | {:.1} MiB ({:.1}) | {} | {}",
            library.name,
            mib(memory.now),
            mib(memory.peak),
            commands(Route::Read),
            commands(Route::Write)
        ))
    });
    table("Costs", columns, rows)
}

fn correctness(report: &Report) -> String {
    let columns = format!(
        "50 parallel writes kept, one node | two nodes | sign-outs undone of {TRIES}, one node | \
         two nodes | signed-out tickets accepted on the other node of {TRIES}, at once | 1 s later"
    );
    let rows = report.libraries.iter().filter_map(|library| {
        let rows = library.correctness.as_ref()?;
        Some(format!(
            "{} | {} | {} | {} | {} | {} | {}",
            library.name,
            kept(&rows.one_node),
            kept(&rows.two_nodes),
            undone(&rows.one_node),
            undone(&rows.two_nodes),
            rows.accepted_at_once,
            rows.accepted_later
        ))
    });
    table("Correctness", &columns, rows)
}

fn outages(report: &Report) -> String {
    let columns = "frozen 5 s: longest request | answers | first success after it | down 2 s: \
                   longest request | answers | first success after it";
    let rows = report.libraries.iter().filter_map(|library| {
        let rows = library.correctness.as_ref()?;
        Some(format!("{} | {} | {}", library.name, outage(&rows.frozen), outage(&rows.down)))
    });
    table("Redis is sick", columns, rows)
}

fn targets(report: &Report) -> String {
    let rows = report.targets.iter().map(|verdict| {
        let (what, word) = (&verdict.what, verdict.word());
        format!("{what} | {} | {} | {} | {word}", verdict.measured, verdict.by_hand, verdict.bar)
    });
    table("Cloakroom's own bars", "measured | by hand on the same client | bar | ", rows)
}

fn remarks(report: &Report) -> String {
    let absent = report.libraries.iter().filter_map(|library| {
        Some(format!("- {} did not take part: {}\n", library.name, library.absent.as_ref()?))
    });
    let troubles = report.libraries.iter().flat_map(|library| {
        library.troubles.iter().map(|trouble| format!("- **{}**: {trouble}\n", library.name))
    });
    let remarks: String = absent.chain(troubles).collect();
    if remarks.is_empty() { remarks } else { format!("\n{remarks}") }
}

/// A table whose first column is the title's; nothing without rows.
fn table(title: &str, columns: &str, rows: impl Iterator<Item = String>) -> String {
    let rows: String = rows.map(|row| format!("| {row} |\n")).collect();
    if rows.is_empty() {
        return rows;
    }
    let rule = " ---: |".repeat(columns.split(" | ").count());
    format!("\n| {title} | {columns} |\n| --- |{rule}\n{rows}")
}

fn rates(figures: &[f64]) -> String {
    let Some((least, most)) = spread(figures.iter().copied()) else { return "-".to_owned() };
    format!("{} ({} to {})", middle(figures, whole), whole(least), whole(most))
}

fn millis(micros: &[f64]) -> String {
    middle(micros, |micros| format!("{:.2} ms", micros / 1e3))
}

fn middle(figures: &[f64], show: impl Fn(f64) -> String) -> String {
    median(figures.iter().copied()).map_or_else(|| "-".to_owned(), show)
}

/// A number without decimals, its thousands apart.
fn whole(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn command_count(measured: &Measured) -> String {
    let (sent, inside) = (measured.commands.sent_in_all(), measured.commands.inside_in_all());
    if inside < 0.05 { few(sent) } else { format!("{} + {} in scripts", few(sent), few(inside)) }
}

fn command_names(measured: &Measured) -> String {
    let commands = &measured.commands;
    match (names(&commands.sent), names(&commands.inside)) {
        (sent, _) if sent.is_empty() => "none".to_owned(),
        (sent, inside) if inside.is_empty() => sent,
        (sent, inside) => format!("{sent} (inside {inside})"),
    }
}

fn names(commands: &BTreeMap<String, f64>) -> String {
    let often = commands.iter().filter(|(_, count)| **count >= 0.05);
    let named = often.map(|(name, count)| match few(*count).as_str() {
        "1" => name.clone(),
        count => format!("{count} {name}"),
    });
    named.collect::<Vec<_>>().join(", ")
}

/// A small number, with one decimal where it has one.
fn few(number: f64) -> String {
    let tenths = (number * 10.0).round() / 10.0;
    tenths.to_string()
}

fn kept(meeting: &Meeting) -> String {
    match meeting.refused {
        0 => meeting.kept.to_string(),
        refused => format!("{} ({refused} refused)", meeting.kept),
    }
}

fn undone(meeting: &Meeting) -> String {
    match meeting.came_back {
        0 => meeting.undone.to_string(),
        came_back => format!("{} ({came_back} back without the user)", meeting.undone),
    }
}

fn outage(outage: &Outage) -> String {
    let seconds = |millis: f64| format!("{:.2} s", millis / 1e3);
    let answers = outage.answers.iter().map(|(label, count)| format!("{label} × {count}"));
    let never = format!("none within {} s", RECOVERY_LIMIT.as_secs());
    format!(
        "{} | {} | {}",
        seconds(outage.longest_millis),
        answers.collect::<Vec<_>>().join(", "),
        outage.recovery_millis.map_or(never, seconds)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_read_them() {
        assert_eq!(whole(1_234_567.6), "1,234,568");
        assert_eq!(whole(999.4), "999");
        assert_eq!((few(2.0), few(5.52)), ("2".to_owned(), "5.5".to_owned()));
        assert_eq!(rates(&[20_000.0, 10_000.0, 31_000.0]), "20,000 (10,000 to 31,000)");
        let commands = BTreeMap::from([("GET".to_owned(), 1.0), ("PING".to_owned(), 2.0)]);
        assert_eq!(names(&commands), "GET, 2 PING");
    }

    #[test]
    fn a_table_has_a_rule_under_each_column() {
        let rows = ["none | 1 | 2".to_owned()].into_iter();
        let text = "\n| x | a | b |\n| --- | ---: | ---: |\n| none | 1 | 2 |\n";
        assert_eq!(table("x", "a | b", rows), text);
        assert_eq!(table("x", "a", std::iter::empty()), "");
    }
}
