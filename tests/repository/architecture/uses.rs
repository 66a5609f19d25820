//! Which modules a source file names, as far as its text says so: paths after `crate::`, `super::` and `self::`, and
//! `use` of a child module, unit tests included. A name that a module imports stands for what it imports.

use std::collections::{BTreeMap, BTreeSet};

/// A path from the root of the crate: `["media", "ffi", "read"]`.
pub type Path = Vec<String>;

/// The modules of the crate.
pub struct Modules {
    /// The file of each module, below `src/`.
    files: BTreeMap<Path, String>,
    /// The paths that each module names.
    named: BTreeMap<Path, BTreeSet<Path>>,
    /// What the names that a module imports stand for.
    imported: BTreeMap<(Path, String), Path>,
}

impl Modules {
    /// Reads all `.rs` files; `sources` are names below `src/` and texts.
    pub fn read(sources: &[(String, String)]) -> Self {
        let files: BTreeMap<Path, String> =
            sources.iter().filter_map(|(name, _)| Some((module_of(name)?, name.clone()))).collect();
        let mut modules = Self { files, named: BTreeMap::new(), imported: BTreeMap::new() };
        for (name, text) in sources {
            let Some(module) = module_of(name) else { continue };
            modules.named.entry(module.clone()).or_default();
            let is_code = |line: &&str| !line.trim_start().starts_with("//");
            let code: String = text.lines().filter(is_code).flat_map(|line| [line, "\n"]).collect();
            let (code, tests) = code.split_once("\nmod tests {").unwrap_or((&code, ""));
            modules.note(&module, &module, code);
            // The unit tests are a module below the file's.
            let below: Path = module.iter().cloned().chain(["tests".into()]).collect();
            modules.note(&module, &below, tests);
        }
        modules
    }

    /// Notes the paths in the `code` of module `here`, which belongs to the file of `module`.
    fn note(&mut self, module: &Path, here: &Path, code: &str) {
        for (at, _) in code.match_indices("::") {
            let start = code[..at].rfind(|letter| !is_letter(letter)).map_or(0, |before| before + 1);
            let before = &code[..start];
            let first = &code[start..at];
            let child: Path = here.iter().cloned().chain([first.to_owned()]).collect();
            let is_use = before.trim_end().ends_with("use");
            let begins = !before.ends_with("::")
                && match first {
                    "crate" | "stylize_video" | "super" | "self" => true,
                    _ => is_use && self.files.contains_key(&child),
                };
            if !begins {
                continue;
            }
            let mut found = Vec::new();
            tree(&code[start..], Vec::new(), &mut found);
            for path in found.iter().map(|path| absolute(path, here)) {
                if let Some(name) = path.last().filter(|_| is_use && here == module) {
                    self.imported.insert((module.clone(), name.clone()), path.clone());
                }
                self.named.entry(module.clone()).or_default().insert(path);
            }
        }
    }

    /// Returns the file of each module and the first names of the paths in it.
    pub fn top_levels(&self) -> impl Iterator<Item = (&Path, &str, BTreeSet<&str>)> {
        self.named.iter().map(|(module, named)| {
            let names = named.iter().filter_map(|path| path.first()).map(String::as_str);
            (module, self.files[module].as_str(), names.collect())
        })
    }

    /// Returns the module that holds what `path` names: the longest part of it that is a module, or the one that the
    /// next name is imported from.
    fn home(&self, path: &[String], steps: usize) -> Path {
        let length = (0..=path.len()).rev().find(|&length| length == 0 || self.files.contains_key(&path[..length]));
        let (module, rest) = path.split_at(length.unwrap_or(0));
        let target = rest.first().and_then(|name| self.imported.get(&(module.to_vec(), name.clone())));
        match target.filter(|target| steps > 0 && target.as_slice() != &path[..module.len() + 1]) {
            Some(target) => self.home(&[target.as_slice(), &rest[1..]].concat(), steps - 1),
            None => module.to_vec(),
        }
    }

    /// Returns the uses between modules of one folder (files, or folders with all that they hold), each with a file in
    /// which it stands: user, used. A module and its parent do not count.
    fn uses(&self) -> BTreeMap<(Path, Path), &str> {
        let mut edges: BTreeMap<(Path, Path), &str> = BTreeMap::new();
        for (user, named) in &self.named {
            for used in named.iter().map(|path| self.home(path, 8)) {
                let common = user.iter().zip(&used).take_while(|(a, b)| a == b).count();
                if common < user.len() && common < used.len() {
                    edges.insert((user[..=common].to_vec(), used[..=common].to_vec()), &self.files[user]);
                }
            }
        }
        edges
    }

    /// Returns the uses that form cycles: of two modules in one folder, each uses the other, or they do so by way of
    /// others.
    pub fn cycles(&self) -> Vec<String> {
        let edges = self.uses();
        let in_cycles = edges.iter().filter(|((user, used), _)| reaches(&edges, used, user));
        in_cycles.map(|((_, used), file)| format!("{file} uses {}", used.join("::"))).collect()
    }

    /// Returns the uses between the modules of `folder`: names of user and used, and a file.
    pub fn within(&self, folder: &str) -> Vec<(String, String, &str)> {
        let inside = |path: &Path| (path.len() == 2 && path[0] == folder).then(|| path[1].clone());
        self.uses()
            .into_iter()
            .filter_map(|((user, used), file)| Some((inside(&user)?, inside(&used)?, file)))
            .collect()
    }
}

/// Returns whether the edges lead from one module to another.
fn reaches(edges: &BTreeMap<(Path, Path), &str>, from: &Path, to: &Path) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(module) = open.pop() {
        if module == to {
            return true;
        }
        if seen.insert(module) {
            open.extend(edges.keys().filter(|(user, _)| user == module).map(|(_, used)| used));
        }
    }
    false
}

/// Returns the module of a file below `src/`; `None` for the root and for files that are not Rust.
fn module_of(name: &str) -> Option<Path> {
    let path = name.strip_suffix(".rs").filter(|path| *path != "lib")?;
    Some(path.strip_suffix("/mod").unwrap_or(path).split('/').map(str::to_owned).collect())
}

fn is_letter(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Adds every path of the tree that `text` begins with (`a::{b, c::d}`) to `found`, and returns the rest of the text.
fn tree<'a>(text: &'a str, mut path: Path, found: &mut Vec<Path>) -> &'a str {
    let mut text = text.trim_start();
    loop {
        if let Some(mut rest) = text.strip_prefix('{') {
            loop {
                rest = rest.trim_start();
                if let Some(rest) = rest.strip_prefix('}') {
                    return rest;
                }
                let after = tree(rest, path.clone(), found);
                // Also skips `as name` and `*`.
                let Some(end) = after.find([',', '}']) else { return "" };
                rest = after[end..].strip_prefix(',').unwrap_or(&after[end..]);
            }
        }
        let end = text.find(|letter| !is_letter(letter)).unwrap_or(text.len());
        path.extend((end > 0).then(|| text[..end].to_owned()));
        text = &text[end..];
        match text.strip_prefix("::") {
            Some(rest) if rest.starts_with(|letter| is_letter(letter) || letter == '{') => text = rest,
            _ => {
                found.push(path);
                return text;
            }
        }
    }
}

/// Returns a path that stands in the module `here` from the root of the crate.
fn absolute(path: &[String], here: &Path) -> Path {
    let (first, rest) = path.split_first().map_or(("", path), |(first, rest)| (first.as_str(), rest));
    match first {
        "crate" | "stylize_video" => rest.to_vec(),
        "self" => [here, rest].concat(),
        "super" => {
            let up = path.iter().take_while(|name| *name == "super").count();
            [&here[..here.len().saturating_sub(up)], &path[up..]].concat()
        }
        _ => [here, path].concat(),
    }
}
