use crate::{
    assert_none,
    functions::{EXCUSE, functions},
    sources,
};

/// Lines a file may have, its tests left out.
const FILE: usize = 500;
/// Lines a function may have.
const FUNCTION: usize = 60;

#[test]
fn files_and_functions_are_short() {
    let (mut file_lengths, mut function_lengths, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for source in sources::of_crates() {
        let length = source.lines.len();
        let excused = source.lines.iter().take(5).any(|(_, line)| line.starts_with(EXCUSE));
        if length > FILE && !excused {
            faults.push(format!("{} has {length} lines; {FILE} are the most", source.path));
        }
        file_lengths.push(length);
        for function in functions(&source) {
            if function.length > FUNCTION && !function.excused {
                let (path, name, length) = (&source.path, &function.name, function.length);
                faults.push(format!("{path}:{} {name} has {length} lines; {FUNCTION} are the most", function.line));
            }
            function_lengths.push(function.length);
        }
    }
    println!("files: {}", distribution(file_lengths));
    println!("functions: {}", distribution(function_lengths));
    let what_to_do =
        format!("Divide by what changes together; where length is right, say so there: `{EXCUSE}<reason>`.");
    assert_none(&faults, &what_to_do);
}

fn distribution(mut lengths: Vec<usize>) -> String {
    lengths.sort_unstable();
    let at = |percent: usize| lengths.get(lengths.len().saturating_sub(1) * percent / 100).copied().unwrap_or_default();
    format!("{}, lines median {} / p90 {} / longest {}", lengths.len(), at(50), at(90), at(100))
}
