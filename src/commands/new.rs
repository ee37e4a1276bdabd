//! `new`: a small green project.

use std::path::Path;

use tidegate_compiler::diag::nearest;

use crate::args::New;
use crate::exit::{Exit, Stop};
use crate::terminal::Terminal;

/// A project that can be written: its files by path, and a picture of what flows.
struct Template {
    name: &'static str,
    about: &'static str,
    picture: &'static str,
    files: &'static [(&'static str, &'static str)],
}

macro_rules! template_file {
    ($template:literal, $source:literal, $path:literal) => {
        ($path, include_str!(concat!("../../templates/project/", $template, "/", $source)))
    };
}

const TEMPLATES: &[Template] = &[
    Template {
        name: "demo",
        about: "a simulated shop, derivations in SQL and TypeScript, a SQLite database, three tests",
        picture: "source-sim -> demo/orders, demo/customers -> demo/daily-revenue, \
                  demo/big-spenders -> out/shop.db",
        files: &[
            template_file!("demo", "README.md", "README.md"),
            template_file!("demo", "big-spenders.ts", "big-spenders.ts"),
            template_file!("demo", "deno.json", "deno.json"),
            template_file!("demo", "flow.yaml", "flow.yaml"),
            template_file!(
                "demo",
                "flow_generated/typescript/demo/big-spenders.ts",
                "flow_generated/typescript/demo/big-spenders.ts"
            ),
            template_file!("demo", "gitignore", ".gitignore"),
            template_file!("demo", "schemas/big-spender.yaml", "schemas/big-spender.yaml"),
            template_file!("demo", "schemas/customer.yaml", "schemas/customer.yaml"),
            template_file!("demo", "schemas/daily-revenue.yaml", "schemas/daily-revenue.yaml"),
            template_file!("demo", "schemas/order.yaml", "schemas/order.yaml"),
            template_file!("demo", "tests.flow.yaml", "tests.flow.yaml"),
        ],
    },
    Template {
        name: "empty",
        about: "one collection to begin with",
        picture: "my/events",
        files: &[
            template_file!("empty", "flow.yaml", "flow.yaml"),
            template_file!("empty", "gitignore", ".gitignore"),
        ],
    },
];

/// Writes the project; never overwrites.
pub(crate) fn run(arguments: &New, terminal: &Terminal) -> Result<Exit, Stop> {
    if arguments.list {
        for template in TEMPLATES {
            terminal.line(&format!("{:12}{}", template.name, template.about));
        }
        return Ok(Exit::Fine);
    }
    let template = find(&arguments.template)?;
    let Some(directory) = &arguments.directory else {
        return Err(Stop::usage("`new` needs a directory").help("write tidegate new demo"));
    };
    refuse_to_overwrite(template, directory)?;
    for (path, text) in template.files {
        write(&directory.join(path), text)?;
    }
    terminal.line(&format!("  Wrote {} ({})", directory.display(), template.about));
    terminal.line(&format!("  {}", template.picture));
    terminal.line("\n  Next:");
    if directory != Path::new(".") {
        terminal.line(&format!("    cd {}", directory.display()));
    }
    terminal.line("    tidegate check");
    terminal.line("    tidegate test");
    terminal.line("    tidegate run --until-idle");
    Ok(Exit::Fine)
}

fn find(name: &str) -> Result<&'static Template, Stop> {
    TEMPLATES.iter().find(|template| template.name == name).ok_or_else(|| {
        let stop = Stop::usage(format!("there is no template `{name}`"));
        match nearest(name, TEMPLATES.iter().map(|template| template.name)) {
            Some(near) => stop.help(format!("a template of a similar name exists: `{near}`")),
            None => stop.help("list the templates: tidegate new --list"),
        }
    })
}

fn refuse_to_overwrite(template: &Template, directory: &Path) -> Result<(), Stop> {
    match template.files.iter().find(|(path, _)| directory.join(path).exists()) {
        None => Ok(()),
        Some((path, _)) => Err(Stop::environment(format!(
            "`{}` exists already, and nothing is overwritten",
            directory.join(path).display()
        ))
        .help("name a new directory")),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Stop> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|error| Stop::file("create", parent, &error))?;
    }
    std::fs::write(path, text).map_err(|error| Stop::file("write", path, &error))
}
