/// Rules of a robots.txt that are kept; more would be a burden on purpose.
const MAX_RULES: usize = 10_000;

/// What a site asks crawlers to leave alone (RFC 9309). The default forbids nothing.
#[derive(Debug, Default)]
pub(super) struct Robots {
    /// Whether a path is allowed, by the patterns that paths begin with.
    rules: Vec<(bool, String)>,
}

impl Robots {
    /// The rules for `agent`: those of the groups that name it, else those for everybody.
    pub(super) fn read(text: &str, agent: &str) -> Self {
        let (mut own, mut general) = (Vec::new(), Vec::new());
        let (mut names_us, mut names_all, mut among_names, mut is_named) = (false, false, false, false);
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else { continue };
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
            match key.as_str() {
                "user-agent" => {
                    if !among_names {
                        (names_us, names_all) = (false, false);
                    }
                    among_names = true;
                    names_us |= value.eq_ignore_ascii_case(agent);
                    names_all |= value == "*";
                    is_named |= names_us;
                }
                "allow" | "disallow" => {
                    among_names = false;
                    // An empty pattern forbids nothing.
                    if value.is_empty() || own.len() + general.len() >= MAX_RULES {
                        continue;
                    }
                    let rule = (key == "allow", value.to_owned());
                    if names_us {
                        own.push(rule);
                    } else if names_all {
                        general.push(rule);
                    }
                }
                _ => {}
            }
        }
        Self { rules: if is_named { own } else { general } }
    }

    /// Whether a path with its query may be read: the longest pattern decides, and `allow` where two are as long.
    pub(super) fn allows(&self, path: &str) -> bool {
        let fitting = self.rules.iter().filter(|(_, pattern)| fits(pattern, path));
        fitting.max_by_key(|(allows, pattern)| (pattern.len(), *allows)).is_none_or(|(allows, _)| *allows)
    }
}

/// Whether a path begins as the pattern says; `*` is any text, `$` at the end the path's end.
fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, to_end) = pattern.strip_suffix('$').map_or((pattern, false), |pattern| (pattern, true));
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|start| path.strip_prefix(start)) else { return false };
    let mut last = "";
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        last = part;
    }
    !to_end || rest.is_empty() || (pattern.contains('*') && (last.is_empty() || path.ends_with(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_pattern_decides() {
        let text = "User-agent: *\nDisallow: /private/\nAllow: /private/open/ # but this\nDisallow: /*.zip$\n\nUser-agent: other\nDisallow: /";
        let robots = Robots::read(text, "heliograph");
        for (path, allowed) in [
            ("/", true),
            ("/private/a", false),
            ("/private/open/a", true),
            ("/a/b.zip", false),
            ("/a/b.zip.json", true),
        ] {
            assert_eq!(robots.allows(path), allowed, "{path}");
        }
    }

    #[test]
    fn a_group_of_our_own_counts_alone() {
        let robots = Robots::read(
            "User-agent: a\nUser-agent: Heliograph\nDisallow: /a\n\nUser-agent: *\nDisallow: /\n",
            "heliograph",
        );
        assert!(robots.allows("/b") && !robots.allows("/a/x"));
        assert!(
            Robots::read("User-agent: heliograph\nDisallow:\n\nUser-agent: *\nDisallow: /", "heliograph").allows("/x")
        );
        assert!(Robots::default().allows("/anything"));
    }
}
