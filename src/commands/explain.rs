//! `explain`: the page of a rule, or the list of all.

use tidegate_compiler::diag::{nearest, rules};

use crate::args::Explain;
use crate::exit::{Exit, Stop};
use crate::terminal::Terminal;

/// Prints the page or the list.
pub(crate) fn run(arguments: &Explain, terminal: &Terminal) -> Result<Exit, Stop> {
    let Some(slug) = &arguments.rule else {
        let width = rules::ALL.iter().map(|rule| rule.slug.len()).max().unwrap_or_default();
        for rule in rules::ALL {
            let severity = rule.severity.word();
            terminal.line(&format!("{:width$}  {severity:7}  {}", rule.slug, rule.title));
        }
        return Ok(Exit::Fine);
    };
    let Some(rule) = rules::by_slug(slug) else {
        let stop = Stop::usage(format!("there is no rule `{slug}`"));
        return Err(match nearest(slug, rules::ALL.iter().map(|rule| rule.slug)) {
            Some(near) => {
                stop.help(format!("a rule of a similar name exists: tidegate explain {near}"))
            }
            None => stop.help("list the rules: tidegate explain"),
        });
    };
    terminal.line(&format!("{}: {} ({})\n", rule.slug, rule.title, rule.severity.word()));
    terminal.line(rule.page.trim());
    Ok(Exit::Fine)
}
